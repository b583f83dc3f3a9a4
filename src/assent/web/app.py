"""The application: the operations of every capability as routes, behind one outermost layer."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.handlers import ASGIRouteHandler

from assent.web import api
from assent.web.http.engine_bridge import EngineBridge
from assent.web.http.middleware import enclose
from assent.web.http.openapi import describe
from assent.web.http.operation import Operation, Tag
from assent.web.http.paths import PathNames
from assent.web.http.problems import answer_error, leave_unanswered
from assent.web.http.requests import ClientGone
from assent.web.http.responses import encode
from assent.web.http.routes import routes_of

if TYPE_CHECKING:
    from assent.engine import Engine

Operations = Mapping[Tag, Sequence[Operation]]


def every_operation() -> Operations:
    """Return the operations of each file of `assent.web.api` by its tag, in the order of the files' names."""
    files = [import_module(f"{api.__name__}.{file.name}") for file in pkgutil.iter_modules(api.__path__)]
    return {file.TAG: file.ROUTES for file in files}


OPERATIONS: Operations = every_operation()


def make_app(engine: Engine, *, cors_origins: Sequence[str] = ("*",), operations: Operations = OPERATIONS) -> Litestar:
    """Build the ASGI application over an open engine, which stays the caller's to close.

    `cors_origins` are the origins whose pages may send events from a browser, `*` for every one.
    """
    bridge = EngineBridge(engine, encode(describe(operations, engine)))
    served = [*chain.from_iterable(operations.values())]
    routes = routes_of(served, bridge, cors_origins)
    app = Litestar(
        routes,
        exception_handlers={ClientGone: leave_unanswered, Exception: answer_error},
        on_shutdown=[bridge.close],
        logging_config=None,
        openapi_config=None,
        debug=False,  # LITESTAR_DEBUG cannot switch it on
        pdb_on_exception=False,
    )
    lean = {path: each.fn for each in routes if isinstance(each, ASGIRouteHandler) for path in each.paths}
    app.asgi_handler = enclose(app.asgi_handler, lean, PathNames(each.path for each in served))
    return app
