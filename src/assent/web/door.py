"""The front door, outermost: names are lifted out of paths, HEAD is GET without a body, every answer is hardened.

An answer that is given before the request's body was read to its end says that the connection ends with it (RFC 9112,
section 9.3): the rest of the body is dropped, and a client that counted on the connection would lose its next request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from assent.terms.errors import AssentError, InvalidInput
from assent.web.bodies import ClientGone
from assent.web.problems import known_error, problem_headers, problem_of

#: What stands in a path where a name stood.
PLACEHOLDER = "-"
_STATE_NAME = "named"

#: A collection whose second segment is a name: of a person, an item, or a write key.
_NAMED = re.compile(r"(/v1/(?:people|items|projects)/)([^/]+)(.*)", re.DOTALL)

#: On every answer. Nothing here is a page, so nothing may be loaded, framed, sniffed or told to the next site.
_ALWAYS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_NO_STORE = (b"cache-control", b"no-store")
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_LAST = (b"connection", b"close")


def front_door(inner: ASGIApp, express: Mapping[str, ASGIApp]) -> ASGIApp:
    """Wrap the whole application; the paths in `express` go straight to what answers them, past the framework."""

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await inner(scope, receive, send)
            return
        visit = _Visit(scope, receive, send)
        try:
            if scope["path"] not in express:  # those hold no names
                _lift_name(scope)
            if visit.bodiless:
                scope["method"] = "GET"
            await express.get(scope["path"], inner)(scope, visit.hear, visit.harden)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the last door: nothing may pass it untold
            known = known_error(error)
            if not visit.begun:
                await send_problem(visit.harden, known)

    return enter


class _Visit:
    """One request on its way through the door: what was heard of it, and whether its answer has begun."""

    __slots__ = ("_heard", "_receive", "_scope", "_send", "begun", "bodiless")

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._heard = False
        self.begun = False
        self.bodiless = scope["method"] == "HEAD"

    async def hear(self) -> ReceiveMessage:
        """Hand on the next piece of the body, and note when it is the last."""
        message = await self._receive()
        self._heard = not message.get("more_body")
        return message

    async def harden(self, message: Message) -> None:
        """Send a piece of the answer, its head with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = [*message["headers"], *_ALWAYS]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(_NO_STORE)
            if self._scope["scheme"] == "https":
                headers.append(_HTTPS_ONLY)
            if not self._heard and _has_body(self._scope):
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


def _lift_name(scope: HTTPScope) -> None:
    """Take the name of a person, item or key out of the path and keep it aside, decoded once.

    So a name may hold any character, an encoded slash too, and none stays behind in a cache of routes.
    """
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    if "//" in path:
        scope["path"] = "/" + PLACEHOLDER * 2  # no such route
        return
    match = _NAMED.fullmatch(path)
    if match is None:
        scope["path"] = path
        return
    before, name, after = match.groups()
    scope["path"] = before + PLACEHOLDER + after
    scope["raw_path"] = scope["path"].encode()
    try:
        scope["state"][_STATE_NAME] = unquote(name, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput("A name in the path is not UTF-8.", advice="Percent-encode it as UTF-8.") from None


def named(scope: Scope) -> str:
    """Return the name that stood in the path."""
    name: str = scope["state"][_STATE_NAME]
    return name


async def send_answer(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], media: bytes = b"application/json"
) -> None:
    """Send one whole answer; without a body when it is 204."""
    if status != 204:
        headers = [(b"content-type", media), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_problem(
    send: Send, error: AssentError, headers: list[tuple[bytes, bytes]] | None = None, allow: list[str] | None = None
) -> None:
    """Send an error as a problem detail."""
    own = problem_headers(error, allow or ())
    media = own.pop("content-type").encode()
    lines = [(name.encode(), value.encode()) for name, value in own.items()]
    await send_answer(send, error.status, msgspec.json.encode(problem_of(error)), [*lines, *(headers or [])], media)
