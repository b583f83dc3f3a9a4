"""Routes are made of operations, of nothing else, and of each once."""

from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler

from assent.web.app import make_app
from assent.web.http.routes import SERVES
from tests.rooms.web.operations import EVERY


def test_every_route_of_the_application_is_an_operation(still):
    """No route exists beside the operations, and every operation is served once."""
    served = []
    for route in make_app(still.engine).routes:
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]
        for handler in handlers:
            assert isinstance(handler, ASGIRouteHandler | HTTPRouteHandler)
            if SERVES in handler.opt:
                served.append((handler.opt[SERVES], _plain(route.path)))
            else:
                assert handler.http_methods == {"OPTIONS"}
    assert sorted(served) == sorted((each.name, each.path) for each in EVERY)


def _plain(path):
    return path.replace(":str}", "}")
