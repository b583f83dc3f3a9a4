"""`assent demo`: the whole of it in a minute, on a shop of its own."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import TYPE_CHECKING, Any

import click

from assent.cli.commands.serve import HOST_DEFAULT, PORT_DEFAULT, serve_command
from assent.cli.context import EXIT_FAILED, engine_class, examples
from assent.cli.screen import Screen, plain
from assent.cli.views.scenes import show
from assent.demo.shop import Shop, fill_from, fill_made
from assent.demo.story import Act, Stage, tell
from assent.terms.errors import AssentError, Conflict

if TYPE_CHECKING:
    from assent.engine import Engine

#: Who leaves step by step, who stays, who leaves at once.
Cast = tuple[str, str, str]

FOLDER = Path("demo-shop")
#: Says that a folder is the demo's own and may be made anew.
MARK = ".made-by-assent-demo"
START_SECONDS_MAX = 30
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
        with _folder(once=once) as folder:
            _play(screen, folder, data, cast, serve_at=None if once else port)
    except AssentError as error:
        screen.fail(error)
        raise SystemExit(EXIT_FAILED) from None


def _three(people: str) -> Cast:
    """Read three names; any other number is a command that was not understood."""
    match [part.strip() for part in people.split(",")]:
        case [leaver, neighbour, second_leaver]:
            return leaver, neighbour, second_leaver
    message = "--people takes three names with commas between them."
    raise click.UsageError(message)


def _play(screen: Screen, folder: Path, data: Path | None, cast: Cast, *, serve_at: int | None) -> None:
    """Fill the shop, show every act as it happens, and serve if asked."""
    store, keys = f"sqlite:///{folder / 'shop.db'}", folder / "shop.key"
    acts: list[Act] = []
    with engine_class().open(store, keys=keys) as engine:
        stage = Stage(engine, _fill(screen, engine, data, cast), screen.busy, lambda name: times_found(folder, name))
        for act in tell(stage):
            acts.append(act)
            if not screen.as_json:
                show(act, screen, len(acts))
        key = engine.keys.make("server", "demo") if serve_at is not None else ""
        shown_person = stage.shop.neighbour
    told: dict[str, Any] = {"acts": [{"act": type(act).__name__.lower(), **plain(act)} for act in acts]}
    if serve_at is None:
        if screen.as_json:
            screen.data(told)
        return
    port = _free_port(serve_at)
    served = _addresses(f"http://{HOST_DEFAULT}:{port}", key, shown_person)
    _serve(screen, {**told, "served": served}, serve_command(store, keys, HOST_DEFAULT, port, 1), port)


def _fill(screen: Screen, engine: Engine, data: Path | None, cast: Cast) -> Shop:
    """Fill the shop from the file, or with made goods and made people."""
    if not screen.as_json:
        screen.say("assent: personalization by consent. Everything below happens now, on this machine.", style="bold")
    if data is not None:
        with screen.counting(f"Importing {data.name}") as told:
            return fill_from(engine, data, cast, told)
    with screen.counting("Taking in what 2,000 people did") as told:
        return fill_made(engine, time_ns() // 1_000_000, told)


@contextmanager
def _folder(*, once: bool) -> Iterator[Path]:
    """Give an empty folder: a temporary one, or ./demo-shop made anew; never one that somebody else made."""
    if once:
        with tempfile.TemporaryDirectory(prefix="assent-demo-") as temporary:
            yield Path(temporary)
        return
    if FOLDER.exists() and not (FOLDER / MARK).exists():
        message = f"The folder {FOLDER} is here already, and the demo did not make it."
        raise Conflict(message, advice="Move it away, or run the demo in another folder.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    (FOLDER / MARK).write_text("`assent demo` makes this folder anew every time.\n", encoding="utf-8")
    yield FOLDER


def times_found(folder: Path, name: str) -> int:
    """Count how often a name stands readable, as a word of its own, anywhere in the files of a folder."""
    word = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(name.encode()) + rb"(?![0-9A-Za-z])")
    return sum(len(word.findall(path.read_bytes())) for path in folder.rglob("*") if path.is_file())


def _free_port(wanted: int) -> int:
    """Return the wanted port when it is free, else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST_DEFAULT, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = "No port is free on this machine."
    raise Conflict(message, advice="Close some servers and start the demo again.")


def _addresses(url: str, key: str, person: str) -> dict[str, Any]:
    """Return three addresses to look at and one line to try, with its key."""
    curl = (
        f"curl -s {url}/v1/decide -H 'Authorization: Bearer {key}' "
        f'-H \'Content-Type: application/json\' -d \'{{"person": "{person}", "count": 3}}\''
    )
    return {"urls": [f"{url}/health", f"{url}/openapi.json", f"{url}/.well-known/gpc.json"], "curl": curl}


def _serve(screen: Screen, told: dict[str, Any], line: list[str], port: int) -> None:
    """Start the server, print where it is and what to try, and stay until interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it takes its server along
    server = subprocess.Popen(line, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter and module
    try:
        with screen.busy("Starting the server"):
            _wait_for(server, port)
        if screen.as_json:
            screen.data(told)
        else:
            screen.heading("Now it is yours to try (stop with Ctrl-C)")
            for url in told["served"]["urls"]:
                screen.say(f"  {url}")
            screen.say()
            screen.whole(told["served"]["curl"])
        server.wait()
    except KeyboardInterrupt:
        screen.say()
    finally:
        server.terminate()
        server.wait()


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server takes connections; raises `Conflict` when it does not come up."""
    until = monotonic() + START_SECONDS_MAX
    while server.poll() is None and monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((HOST_DEFAULT, port)) == 0:
                return
        sleep(0.05)
    message = "The server did not start."
    raise Conflict(message, advice=f"See what `assent serve --port {port}` says.")
