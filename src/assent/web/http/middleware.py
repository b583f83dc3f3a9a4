"""The outermost layer: names are lifted out of paths, HEAD is GET without a body, every answer gets its header policy.

An answer that is given before the request's body was read to its end says that the connection ends with it (RFC 9112,
section 9.3): the rest of the body is dropped, and a client that counted on the connection would lose its next request.
"""

from __future__ import annotations

from collections.abc import Mapping

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from assent.web.http import policies
from assent.web.http.paths import PathNames
from assent.web.http.problems import to_assent_error
from assent.web.http.requests import ClientGone
from assent.web.http.responses import send_problem

_LAST = (b"connection", b"close")


def enclose(inner: ASGIApp, express: Mapping[str, ASGIApp], names: PathNames) -> ASGIApp:
    """Wrap the whole application; the paths in `express` go straight to what answers them, past the framework."""

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await inner(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            if scope["path"] not in express:  # those hold no names
                names.lift(scope)
            if exchange.bodiless:
                scope["method"] = "GET"
            await express.get(scope["path"], inner)(scope, exchange.receive, exchange.send)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - nothing may leave without an answer
            own = to_assent_error(error)
            if not exchange.begun:
                await send_problem(exchange.send, own)

    return enter


class _Exchange:
    """One request and its answer: whether the body was read to its end, and whether the answer has begun."""

    __slots__ = ("_read", "_receive", "_scope", "_send", "begun", "bodiless")

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._read = False
        self.begun = False
        self.bodiless = scope["method"] == "HEAD"

    async def receive(self) -> ReceiveMessage:
        """Hand on the next piece of the body, and note when it is the last."""
        message = await self._receive()
        self._read = not message.get("more_body")
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer, its head with the policy for programs unless it brings a policy of its own."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = [*message["headers"]]
            surface, kept = policies.API, False
            for name, _ in headers:
                if name == b"content-security-policy":
                    surface = ()
                elif name == b"cache-control":
                    kept = True
            headers += surface
            if not kept:
                headers.append(policies.NO_STORE)
            if self._scope["scheme"] == "https":
                headers.append(policies.HTTPS_ONLY)
            if not self._read and _has_body(self._scope):
                headers.append(_LAST)
            message["headers"] = headers
        elif self.bodiless and message["type"] == "http.response.body":
            message["body"] = b""
        await self._send(message)


def _has_body(scope: HTTPScope) -> bool:
    """Tell whether a request announces a body (RFC 9112, section 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0"))
        for name, value in scope["headers"]
    )
