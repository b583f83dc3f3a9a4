"""Segment's tracking API as its clients use it: any content type, gzip or not, long and short paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from litestar import Response
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import HTTPScope, Receive, Scope

from assent.terms.errors import NotFound
from assent.terms.segment import CALLS
from assent.web.bodies import header, opted_out, read_body
from assent.web.door import named
from assent.web.keys import admit, key_in
from assent.web.routing import AnyRequest, Headers, as_json, encode, lean, serves
from assent.web.shapes import SegmentSettings, Success

if TYPE_CHECKING:
    from assent.web.desk import Desk

#: In larger bodies a write key is looked for beside the event loop, so that small requests need not wait for it.
INLINE_BYTES_MAX = 16_384

#: What a browser is told that asks whether a page of another origin may send events here.
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"86400"),
]

_SUCCESS = encode(Success(success=True))
_PLAN: dict[str, Any] = {"track": {}, "identify": {}, "group": {}}
_CALL_BY_PATH = {f"/v1/{name}": call for call, short in CALLS.items() for name in (call, short)}


def crossing(origins: Sequence[str]) -> Callable[[Scope], Headers]:
    """Say which origins' pages may send events: `*` for every one, or a list; never with credentials (cookies)."""
    if "*" in origins:
        every: Headers = [(b"access-control-allow-origin", b"*")]
        return lambda _: every
    listed = frozenset(origin.encode() for origin in origins)

    def headers(scope: Scope) -> Headers:
        origin = header(scope, b"origin")
        allowed: Headers = [(b"access-control-allow-origin", origin)] if origin is not None and origin in listed else []
        return [*allowed, (b"vary", b"origin")]

    return headers


def tracking_routes(desk: Desk, origins: Sequence[str]) -> list[ASGIRouteHandler | HTTPRouteHandler]:
    """Return the routes that Segment's clients use."""
    headers = crossing(origins)

    async def take_in(scope: Scope, receive: Receive) -> bytes:
        body = await read_body(scope, receive)
        sent = header(scope, b"content-encoding")
        encoding = None if sent is None else sent.decode("latin-1").strip().lower()
        await _admit(desk, scope, body, encoding)
        call = _CALL_BY_PATH[cast("HTTPScope", scope)["path"]]
        await desk.landed(desk.engine.events.submit(body, encoding=encoding, kind=call, gpc=opted_out(scope)))
        return _SUCCESS

    async def throw_away(scope: Scope, receive: Receive) -> bytes:
        await read_body(scope, receive)
        return _SUCCESS

    @serves("client_settings")
    async def client_settings(request: AnyRequest) -> Response[bytes]:
        key = named(request.scope)
        role = await desk.in_thread(lambda: desk.engine.keys.role(key))
        if role != "browser":
            raise NotFound("No browser write key has that name.", advice="Make one with the role `browser`.")
        integrations = {"Segment.io": {"apiKey": key, "unbundledIntegrations": [], "addBundledMetadata": True}}
        answer = as_json(SegmentSettings(integrations, dict(_PLAN)))
        for name, value in headers(request.scope):
            answer.headers[name.decode()] = value.decode()
        return answer

    names = [name for call in CALLS for name in (call, f"{call}_short")]
    return [
        lean(names, take_in, headers, PREFLIGHT),
        lean(["client_metrics"], throw_away, headers, PREFLIGHT),
        client_settings,
    ]


async def _admit(desk: Desk, scope: Scope, body: bytes, encoding: str | None) -> None:
    """Ask whether the key may send events.

    A header without a known key does not hide a `writeKey` in the body: clients with OAuth send both.
    """
    engine = desk.engine
    authorization = header(scope, b"authorization")
    key = None if authorization is None else key_in(authorization)
    if key is None or engine.keys.role(key) is None:
        look = partial(engine.events.write_key_of, body, encoding)
        key = look() if len(body) <= INLINE_BYTES_MAX else await desk.in_thread(look)
    admit(engine, key, "take_in")
