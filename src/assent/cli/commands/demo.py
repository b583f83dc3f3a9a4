"""`assent demo`: every act in a minute, on a made-up shop."""

from __future__ import annotations

from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

import click

from assent.cli.context import EXIT_FAILED, engine_class, examples
from assent.cli.screen import Screen, plain
from assent.cli.server_line import HOST_DEFAULT, PORT_DEFAULT, server_line
from assent.cli.views.scenes import show
from assent.demo.folder import DemoFolder, demo_folder
from assent.demo.server import Served, free_port, server_process, wait_for
from assent.demo.shop import Shop, fill_from, fill_made
from assent.demo.story import Act, Stage, tell
from assent.terms.errors import AssentError

if TYPE_CHECKING:
    from assent.engine import Engine

#: The person who leaves step by step, one who stays, one who leaves at once.
Cast = tuple[str, str, str]

#: Customers of the Online Retail file with some fifty different goods each.
ONLINE_RETAIL_CAST: Cast = ("12347", "12349", "12352")


@click.command(
    short_help="See all of it in a minute, on a made shop",
    epilog=examples("assent demo", "assent demo --once", "assent demo --data online_retail.parquet --once"),
)
@click.option("--once", is_flag=True, help="End after the show, and leave nothing behind.")
@click.option("--json", "as_json", is_flag=True, help="Print the show as JSON, for programs.")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show it with the UCI Online Retail file instead of the made shop.",
)
@click.option(
    "--people",
    default=",".join(ONLINE_RETAIL_CAST),
    show_default=True,
    metavar="A,B,C",
    help="With --data: who leaves step by step, who stays, who leaves at once.",
)
@click.option("--port", default=PORT_DEFAULT, show_default=True, type=click.IntRange(1, 65_535), help="Where to serve.")
def demo(data: Path | None, people: str, port: int, *, once: bool, as_json: bool) -> None:
    """See consent, reasons, withdrawal and erasure at work on a shop of 2,000 people and 500 goods.

    Makes the folder ./demo-shop anew (a temporary one with --once), plays the story in the terminal, then serves the
    shop until interrupted.
    """
    screen = Screen(as_json=as_json)
    cast = _three(people)
    try:
        with demo_folder(once=once) as folder:
            _play(screen, folder, data, cast, serve_at=None if once else port)
    except AssentError as error:
        screen.fail(error)
        raise SystemExit(EXIT_FAILED) from None


def _three(people: str) -> Cast:
    """Read three names; any other number is a command that was not understood."""
    match [part.strip() for part in people.split(",")]:
        case [leaver, neighbour, second_leaver]:
            return leaver, neighbour, second_leaver
    raise click.UsageError("--people takes three names with commas between them.")


def _play(screen: Screen, folder: DemoFolder, data: Path | None, cast: Cast, *, serve_at: int | None) -> None:
    """Fill the shop, show every act as it happens, and serve if asked."""
    acts: list[Act] = []
    with engine_class().open(folder.store, keys=folder.keys) as engine:
        stage = Stage(engine, _fill(screen, engine, data, cast), screen.busy, folder.times_found)
        for act in tell(stage):
            acts.append(act)
            if not screen.as_json:
                show(act, screen, len(acts))
        key = engine.keys.make("server", "demo") if serve_at is not None else ""
    told: dict[str, Any] = {"acts": [{"act": type(act).__name__.lower(), **plain(act)} for act in acts]}
    if serve_at is not None:
        _serve(screen, folder, told, key, stage.shop.neighbour, free_port(HOST_DEFAULT, serve_at))
    elif screen.as_json:
        screen.data(told)


def _fill(screen: Screen, engine: Engine, data: Path | None, cast: Cast) -> Shop:
    """Fill the shop from the file, or with made goods and made people."""
    if not screen.as_json:
        screen.say("assent: personalization by consent. Everything below happens now, on this machine.", style="bold")
    if data is not None:
        with screen.counting(f"Importing {data.name}") as told:
            return fill_from(engine, data, cast, told)
    with screen.counting("Taking in what 2,000 people did") as told:
        return fill_made(engine, time_ns() // 1_000_000, told)


def _serve(screen: Screen, folder: DemoFolder, told: dict[str, Any], key: str, person: str, port: int) -> None:
    """Start the server, print where it is and what to try, and stay until interrupted."""
    served = Served.at(f"http://{HOST_DEFAULT}:{port}", key, person)
    try:
        with server_process(server_line(folder.store, folder.keys, HOST_DEFAULT, port, 1)) as server:
            with screen.busy("Starting the server"):
                wait_for(server, HOST_DEFAULT, port)
            if screen.as_json:
                screen.data({**told, "served": served})
            else:
                screen.heading("Now it is yours to try (stop with Ctrl-C)")
                for url in served.urls:
                    screen.say(f"  {url}")
                screen.say()
                screen.whole(served.curl)
            server.wait()
    except KeyboardInterrupt:
        screen.say()


COMMANDS, ORDER = (demo,), (20,)
