"""An application called as a server calls it, without a server."""

import asyncio


def run(app, messages, path="/v1/batch", method="POST", headers=()):
    """Call an application as a server does, with these body messages, and return what it sent."""
    sent, waiting = [], list(messages)

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": list(headers),
        "client": None,
        "server": None,
        "root_path": "",
        "state": {},
    }
    asyncio.run(app(scope, receive, send))
    return sent
