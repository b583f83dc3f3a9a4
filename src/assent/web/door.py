"""The front door, outermost: names are lifted out of paths, HEAD is GET without a body, every answer is hardened."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

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


def front_door(inner: ASGIApp) -> ASGIApp:
    """Wrap the whole application."""

    async def enter(any_scope: Scope, receive: Receive, send: Send) -> None:
        if any_scope["type"] != ScopeType.HTTP:
            await inner(any_scope, receive, send)
            return
        scope = any_scope
        begun = False
        bodiless = scope["method"] == "HEAD"

        async def harden(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = list(message["headers"])
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
                headers.extend(_ALWAYS)
                if scope["scheme"] == "https":
                    headers.append(_HTTPS_ONLY)
                message["headers"] = headers
            elif bodiless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            _lift_name(scope)
            if bodiless:
                scope["method"] = "GET"
            await inner(scope, receive, harden)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the last door: nothing may pass it untold
            known = known_error(error)
            if not begun:
                await send_problem(harden, known)

    return enter


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
