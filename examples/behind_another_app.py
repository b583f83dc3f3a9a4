"""The HTTP API inside another ASGI application: everything under /assent goes to it, the rest is the shop's own.

Serve it with any ASGI server, `granian --interface asgi examples.behind_another_app:app` say.
"""

import os
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from assent import Engine
from assent.web.app import make_app

PREFIX = "/assent"

engine = Engine.open(os.environ.get("SHOP_DB") or os.path.join(tempfile.mkdtemp(), "shop.db"))
assent = make_app(engine)


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Hand a request on to the engine's API, or answer it as the shop does."""
    if scope["type"] == "lifespan":
        await assent(scope, receive, send)  # closes the API's threads when the server ends
    elif scope["path"].startswith(f"{PREFIX}/"):
        inner = scope["path"].removeprefix(PREFIX)
        await assent({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"The shop's own page."})
