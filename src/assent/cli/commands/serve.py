"""`assent serve`: hands over to the web room, which runs until it is told to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from assent.cli.context import CommandContext, context_options, examples

HOST_DEFAULT, PORT_DEFAULT = "127.0.0.1", 8787


def serve_command(store: str, keys: Path | None, host: str, port: int, workers: int) -> list[str]:
    """Return the command line that runs the server in the foreground."""
    line = [sys.executable, "-m", "assent.web", "--store", store, "--host", host, "--port", str(port)]
    line += ["--workers", str(workers)]
    return line + (["--keys", str(keys)] if keys is not None else [])


@click.command(
    short_help="Serve the HTTP API",
    epilog=examples(
        "assent serve",
        "assent serve --port 9000 --workers 2",
        "assent serve --host 0.0.0.0 --store postgresql://shop@localhost/shop --keys /srv/keys/shop.keys",
    ),
)
@click.option("--host", default=HOST_DEFAULT, show_default=True, help="The address to listen at.")
@click.option("--port", default=PORT_DEFAULT, show_default=True, type=click.IntRange(1, 65_535), help="The port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@context_options
def serve(context: CommandContext, host: str, port: int, workers: int) -> None:
    """Serve the HTTP API until interrupted.

    Only this machine can reach it unless --host says otherwise; a public address is refused while the store has no
    keys. Put a proxy that speaks TLS in front of a public address.
    """
    with context.open() as engine:
        held = engine.server.health()
    if context.screen.as_json:
        context.screen.data({"url": f"http://{host}:{port}", "health": held})
    else:
        context.screen.say(f"Serving {context.store} at http://{host}:{port} (stop with Ctrl-C)")
        context.screen.say(f"  http://{host}:{port}/health    http://{host}:{port}/openapi.json")
    sys.stdout.flush()
    line = serve_command(context.store, context.keys, host, port, workers)
    os.execv(line[0], line)  # noqa: S606 - our own interpreter, our own module, no shell
