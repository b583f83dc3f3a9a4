"""Routes made of operations: ordinary ones through the framework, lean ones just above the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from litestar import Request, Response
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from assent.terms.errors import MethodNotAllowed
from assent.web.http.call import Call
from assent.web.http.cross_origin import PREFLIGHT, no_headers, origin_headers
from assent.web.http.operation import Operation, methods_of
from assent.web.http.policies import API, Headers, SurfaceHeaders
from assent.web.http.problems import to_assent_error
from assent.web.http.requests import ClientGone
from assent.web.http.responses import body_of, send_answer, send_problem

if TYPE_CHECKING:
    from assent.web.http.engine_bridge import EngineBridge

#: The key under which a route handler names the operation that it serves.
SERVES = "serves"

AnyRequest = Request[Any, Any, Any]
OriginHeaders = Callable[[Scope], Headers]


def routes_of(
    operations: Sequence[Operation], bridge: EngineBridge, origins: Sequence[str]
) -> list[ASGIRouteHandler | HTTPRouteHandler]:
    """Return a route for every operation, and one for the OPTIONS of every path."""
    crossing = origin_headers(origins)
    ordinary = dict.fromkeys(each.path for each in operations if not each.lean)
    # a path's OPTIONS comes first, or the framework would add one of its own
    routes: list[ASGIRouteHandler | HTTPRouteHandler] = [
        _options_route(path, methods_of(operations, path)) for path in ordinary
    ]
    for each in operations:
        own = crossing if each.cross_origin else no_headers
        if each.lean:
            routes.append(_lean_route(each, bridge, methods_of(operations, each.path), own))
        else:
            routes.append(_route(each, bridge, own))
    return routes


def _route(operation: Operation, bridge: EngineBridge, crossing: OriginHeaders) -> HTTPRouteHandler:
    """Make the route of an ordinary operation."""
    fields = dict(operation.headers)
    if operation.surface is not API:  # the outermost layer adds those
        fields |= _as_text(operation.surface)

    async def answer(request: AnyRequest) -> Response[bytes | None]:
        call = Call(bridge, request.scope, request.receive)
        if operation.guarded:
            call.admit(call.key, operation.act)
        body = body_of(await operation.handler(call))
        return Response(
            None if operation.answer is None else body,
            status_code=operation.status,
            headers=fields | _as_text(crossing(request.scope)) if operation.cross_origin else fields,
            media_type=operation.media,
        )

    return HTTPRouteHandler(
        _template(operation.path),
        http_method=operation.method,
        status_code=200,  # the answer brings its own
        opt={SERVES: operation.name},
        name=operation.name,
    )(answer)


def _lean_route(
    operation: Operation, bridge: EngineBridge, allow: Sequence[str], crossing: OriginHeaders
) -> ASGIRouteHandler:
    """Make the route of a lean operation, past the framework's request handling, which costs as much again.

    OPTIONS also answers a browser that asks whether a page of another origin may send this, where it may.
    """
    preflight = [(b"allow", ", ".join(allow).encode()), *(PREFLIGHT if operation.cross_origin else [])]
    expected, status, handler = operation.method, operation.status, operation.handler
    act, guarded = operation.act, operation.guarded

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        own = crossing(scope)
        method = cast("HTTPScope", scope)["method"]
        try:
            if method == expected:
                call = Call(bridge, scope, receive)
                if guarded:
                    call.admit(call.key, act)
                await send_answer(send, status, body_of(await handler(call)), own)
            elif method == "OPTIONS":
                await send_answer(send, 204, b"", [*preflight, *own])
            else:
                await send_problem(send, MethodNotAllowed("The route does not take this method."), own, allow)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - every error is answered in one shape, as on the framework's routes
            await send_problem(send, to_assent_error(error), own)

    return ASGIRouteHandler(operation.path, copy_scope=False, opt={SERVES: operation.name}, name=operation.name)(answer)


def _options_route(path: str, allow: Sequence[str]) -> HTTPRouteHandler:
    """Make the OPTIONS route of an ordinary path."""
    fields = {"allow": ", ".join(allow)}

    async def options() -> Response[None]:
        return Response(None, status_code=204, headers=fields)

    return HTTPRouteHandler(_template(path), http_method="OPTIONS", status_code=204)(options)


def _as_text(headers: SurfaceHeaders) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


def _template(path: str) -> str:
    """Return a path as the framework writes it: each parameter with its type."""
    return path.replace("}", ":str}")
