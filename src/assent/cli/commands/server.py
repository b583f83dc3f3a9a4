"""`assent serve` and `assent doctor`: the HTTP server, and the checkup of the store."""

from __future__ import annotations

import os
import sys

import click

from assent.cli.context import EXIT_FAILED, CommandContext, context_options, examples
from assent.cli.server_line import HOST_DEFAULT, PORT_DEFAULT, server_line
from assent.cli.views.findings import checkup
from assent.terms.limits import limit


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
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, limit("workers_max")), help="Server processes."
)
@context_options
def serve(context: CommandContext, host: str, port: int, workers: int) -> None:
    """Serve the HTTP API until interrupted.

    Only this machine can reach it unless --host says otherwise; a public address is refused while the store has no
    keys. Put a proxy that speaks TLS in front of a public address.
    """
    with context.open() as engine:
        health = engine.server.health()
    if context.screen.as_json:
        context.screen.data({"url": f"http://{host}:{port}", "health": health})
    else:
        context.screen.say(f"Serving {context.store} at http://{host}:{port} (stop with Ctrl-C)")
        context.screen.say(f"  http://{host}:{port}/health    http://{host}:{port}/openapi.json")
    sys.stdout.flush()
    line = server_line(context.store, context.keys, host, port, workers)
    os.execv(line[0], line)  # noqa: S606 - our own interpreter, our own module, no shell


@click.command(
    short_help="Check the store and give advice",
    epilog=examples("assent doctor", "assent doctor --store postgresql://shop@localhost/shop --json"),
)
@context_options
def doctor(context: CommandContext) -> None:
    """Check the store: files, keys, schema, numbers of rows, and the age of the model.

    It shows counts and no personal data. Ends with exit code 1 when a finding needs care.
    """
    path = context.key_path()
    with context.screen.busy("Looking"), context.open() as engine:
        findings = checkup(engine.server.facts(), path)
    well = all(finding.well for finding in findings)
    if context.screen.as_json:
        context.screen.data({"well": well, "findings": findings})
    else:
        context.screen.heading("All is well." if well else "Something needs care.")
        rows = [("ok" if each.well else "CARE", each.name, each.found) for each in findings]
        context.screen.table(("", "What", "Found"), rows)
        advice = [each for each in findings if each.advice]
        if advice:
            context.screen.heading("What to do")
        for each in advice:
            context.screen.say(f"  {each.name}: {each.advice}")
    if not well:
        raise SystemExit(EXIT_FAILED)


COMMANDS, ORDER = (serve, doctor), (30, 150)
