"""How a row of the table becomes a route: ordinary ones through the framework, the two hot ones just above the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from litestar import Request, Response
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import HTTPScope, Receive, Scope, Send

from assent.terms.errors import MethodNotAllowed
from assent.web.bodies import ClientGone
from assent.web.door import send_answer, send_problem
from assent.web.keys import ACT, PUBLIC, guard
from assent.web.problems import known_error
from assent.web.table import OPERATION_BY_NAME, methods_of

if TYPE_CHECKING:
    from assent.web.desk import Desk

#: The key under which a route handler names the rows of the table that it serves.
SERVES = "serves"

AnyRequest = Request[Any, Any, Any]
Headers = list[tuple[bytes, bytes]]
Act = Callable[..., Awaitable[Response[Any]]]
LeanAct = Callable[[Scope, Receive], Awaitable[bytes]]

encode = msgspec.json.Encoder().encode


def serves(name: str) -> Callable[[Act], HTTPRouteHandler]:
    """Make a function the route of one row of the table, behind the guard that asks for the row's act."""
    operation = OPERATION_BY_NAME[name]
    return HTTPRouteHandler(
        operation.path.replace("}", ":str}"),
        http_method=operation.method,
        status_code=operation.status,
        media_type=operation.media,
        guards=[] if operation.act == PUBLIC else [guard],
        opt={ACT: operation.act, SERVES: (name,)},
        name=name,
    )


def lean(
    names: Sequence[str],
    act: LeanAct,
    headers: Callable[[Scope], Headers] = lambda _: [],
    preflight: Headers | None = None,
) -> ASGIRouteHandler:
    """Make a function the route of several POST rows, past the framework's request handling, which costs as much again.

    The function must ask for leave itself (`assent.web.keys.admit`). With `preflight`, OPTIONS also answers a browser
    that asks whether another origin's page may send this.
    """
    paths = [OPERATION_BY_NAME[name].path for name in names]
    allow = methods_of(paths[0])

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        own = headers(scope)
        method = cast("HTTPScope", scope)["method"]
        try:
            if method == "POST":
                await send_answer(send, 200, await act(scope, receive), own)
            elif method == "OPTIONS":
                await send_answer(send, 204, b"", [(b"allow", ", ".join(allow).encode()), *own, *(preflight or [])])
            else:
                await send_problem(send, MethodNotAllowed("The route does not take this method."), own, allow)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - every error is answered in one shape, as on the framework's routes
            await send_problem(send, known_error(error), own)

    return ASGIRouteHandler(paths, copy_scope=False, opt={SERVES: tuple(names)}, name=names[0])(answer)


def options_route(path: str) -> HTTPRouteHandler:
    """Make the OPTIONS route of an ordinary path."""
    fields = {"allow": ", ".join(methods_of(path))}

    async def options() -> Response[None]:
        return Response(None, status_code=204, headers=fields)

    return HTTPRouteHandler(path.replace("}", ":str}"), http_method="OPTIONS", status_code=204)(options)


def desk_of(request: AnyRequest) -> Desk:
    """Return the desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Answer with JSON."""
    return Response(encode(value), status_code=status, headers=headers, media_type="application/json")
