"""The application: every row of the table as a route, behind one door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import ASGIRouteHandler

from assent.web.bodies import ClientGone
from assent.web.deciding import deciding_routes
from assent.web.desk import Desk
from assent.web.door import front_door
from assent.web.goods import drop_item, get_item, list_items, put_items
from assent.web.people import erase_person, export_person, get_consent, get_person, list_purposes, put_consent
from assent.web.problems import answer_error, leave_unanswered
from assent.web.routing import options_route
from assent.web.standing import standing_routes
from assent.web.table import OPERATIONS
from assent.web.tracking import tracking_routes

if TYPE_CHECKING:
    from assent.engine import Engine


def make_app(engine: Engine, *, cors_origins: Sequence[str] = ("*",)) -> Litestar:
    """Build the ASGI application over an open engine, which stays the caller's to close.

    `cors_origins` are the origins whose pages may send events from a browser, `*` for every one.
    """
    desk = Desk(engine)
    routes = [
        # a path's OPTIONS comes first, or the framework would add one of its own
        *(options_route(path) for path in dict.fromkeys(each.path for each in OPERATIONS if each.method != "POST")),
        *tracking_routes(desk, cors_origins),
        *deciding_routes(desk),
        *standing_routes(desk),
        put_items,
        list_items,
        get_item,
        drop_item,
        list_purposes,
        get_consent,
        put_consent,
        get_person,
        export_person,
        erase_person,
    ]
    app = Litestar(
        routes,
        exception_handlers={ClientGone: leave_unanswered, Exception: answer_error},
        on_shutdown=[desk.close],
        logging_config=None,
        openapi_config=None,
        debug=False,  # whatever the environment says
        pdb_on_exception=False,
        state=State({"desk": desk}),
    )
    lean = [each for each in routes if isinstance(each, ASGIRouteHandler)]
    app.asgi_handler = front_door(app.asgi_handler, {path: each.fn for each in lean for path in each.paths})
    return app
