"""The HTTP API inside another ASGI application: everything under /assent goes to it, the rest is the shop's own.

Serve it with any ASGI server: `granian --interface asgi --working-dir examples behind_another_app:app`, say.
"""

import os
import tempfile
from typing import Any, cast

from litestar.types import Receive, Scope, Send

from assent import Engine
from assent.web.app import make_app

PREFIX = "/assent"

engine = Engine.open(os.environ.get("SHOP_DB") or os.path.join(tempfile.mkdtemp(), "shop.db"))
assent = make_app(engine)


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Hand a request on to the engine's API, or answer it as the shop does."""
    if scope["type"] == "lifespan":
        await assent(cast("Scope", scope), receive, send)  # closes the API's threads when the server ends
    elif scope["path"].startswith(f"{PREFIX}/"):
        # The raw path as it was sent: an item's id may hold a slash, which is `%2F` there.
        paths = {
            "path": scope["path"].removeprefix(PREFIX),
            "raw_path": scope["raw_path"].removeprefix(PREFIX.encode()),
        }
        await assent(cast("Scope", {**scope, **paths}), receive, send)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"The shop's own page.", "more_body": False})
