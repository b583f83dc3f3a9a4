"""`assent bench NAME ...` runs a checkout's measurements; `assent bench recommend` compares recommenders on data."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from assent.bench import measurements
from assent.bench.peers import OURS, PEERS, Setting
from assent.cli.context import EXIT_FAILED, examples
from assent.cli.screen import Screen
from assent.terms.errors import AssentError
from assent.terms.limits import limit

TUNE_SECONDS = 600.0

Command = Callable[..., Any]


class Named(click.Group):
    """A group whose words are names of measurements, unless the first is one of its own commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return our command of that name, or `measure` for every other word."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "", measure, args


_JSON = click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON, for programs.")


@click.group(
    cls=Named,
    short_help="Run measurements; compare recommenders",
    invoke_without_command=True,
    subcommand_metavar="[NAMES]... | recommend ...",
    epilog=examples(
        "assent bench",
        "assent bench demo recommender --json",
        "assent bench recommend --train train.txt --test test.txt",
        "assent bench recommend --events orders.csv --split 2026-01-01",
    ),
)
@_JSON
@click.pass_context
def bench(ctx: click.Context, *, as_json: bool) -> None:
    """Run measurements by name and compare them with their targets; without a name, list them.

    The measurements are part of the source, not of the installed package. Ends with exit code 1 when one is missed.
    `recommend` comes with the package and measures recommenders on data of your own.
    """
    if ctx.invoked_subcommand is None:
        _measure((), as_json=as_json)


@click.command(add_help_option=True)
@click.argument("names", nargs=-1)
@_JSON
@click.pass_context
def measure(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Run measurements of the checkout by name."""
    _measure(names, as_json=as_json or (ctx.parent is not None and ctx.parent.params["as_json"]))


def _measure(names: tuple[str, ...], *, as_json: bool) -> None:
    """List the measurements, or run the named ones and print each row beside its target."""
    screen = Screen(as_json=as_json)
    rows: list[dict[str, Any]] = []
    try:
        folder = measurements.bench_folder()
        if not names:
            _list(screen, measurements.available(folder))
            return
        for name in names:
            with screen.busy(f"Measuring {name}"):
                rows += measurements.measure(folder, name)
    except AssentError as error:
        screen.fail(error)
        raise SystemExit(EXIT_FAILED) from None
    if screen.as_json:
        screen.data(rows)
    else:
        lines = [("ok" if row["ok"] else "MISSED", row["what"], row["target"], row["measured"]) for row in rows]
        screen.table(("", "What", "Target", "Measured"), lines)
    if not all(row["ok"] for row in rows):
        raise SystemExit(EXIT_FAILED)


def _list(screen: Screen, names: dict[str, str]) -> None:
    if screen.as_json:
        screen.data(names)
    else:
        screen.table(("Name", "What it measures"), list(names.items()))


def _peers(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """Read `all`, `none` or names with commas between them, in the order in which they run."""
    if value in ("all", "none"):
        return tuple(PEERS) if value == "all" else ()
    named = [part.strip() for part in value.split(",") if part.strip()]
    unknown = [name for name in named if name not in PEERS]
    if unknown or not named:
        raise click.BadParameter(f"'{', '.join(unknown)[:64]}' is not one of: all, none, {', '.join(PEERS)}.")
    return tuple(name for name in PEERS if name in named)


def _settings(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, dict[str, Setting]]:
    """Read `model.name=value` settings; ours are checked by our recommender itself."""
    chosen: dict[str, dict[str, Setting]] = {}
    for value in values:
        place, _, text = value.partition("=")
        model, _, name = place.partition(".")
        defaults = PEERS[model].settings if model in PEERS else {}
        if not (name and text) or (model != OURS and name not in defaults):
            names = [f"{OURS}.NAME", *(f"{peer.name}.{each}" for peer in PEERS.values() for each in peer.settings)]
            raise click.BadParameter(
                f"'{value[:64]}' is not a setting. Write one as NAME=VALUE with one of: {', '.join(names)}."
            )
        try:
            read = json.loads(text)
        except ValueError:
            read = text
        _refuse_misfit(text, read, defaults.get(name))
        chosen.setdefault(model, {})[name] = read
    return chosen


def _refuse_misfit(text: str, read: object, usual: Setting | None) -> None:
    """Raise `BadParameter` for a setting that no model takes, or that is unlike the usual one."""
    if not isinstance(read, float | int | str | bool) or (isinstance(read, float) and not math.isfinite(read)):
        raise click.BadParameter(f"'{text[:64]}' is not a number, a word, true or false.")
    if isinstance(usual, int) and type(read) is not int:
        raise click.BadParameter(f"'{text[:64]}' is not a whole number.")
    if isinstance(usual, float) and type(read) not in (int, float):
        raise click.BadParameter(f"'{text[:64]}' is not a number.")
    if usual is not None and isinstance(read, float | int) and read < 0:
        raise click.BadParameter(f"'{text[:64]}' is below zero.")


def _once(_context: click.Context, _option: click.Parameter, values: tuple[Any, ...]) -> Any:
    """Return an option that may be given once; a second value would be ignored in silence."""
    if len(values) > 1:
        raise click.BadParameter(f"It is given {len(values)} times; name one.")
    return values[0] if values else None


def _moment(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> int | None:
    """Read a day or a moment as milliseconds since the epoch; UTC where no zone is named."""
    value = _once(context, option, values)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"'{value[:64]}' is not a day such as 2026-01-31 or a moment such as 2026-01-31T12:00."
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _file(name: str, words: str) -> Callable[[Command], Command]:
    """Make an option that names a file which is there, once."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(name, type=kind, multiple=True, callback=_once, metavar="FILE", help=words)


@bench.command(
    short_help="Compare recommenders on your data",
    epilog=examples(
        "assent bench recommend --train train.txt --test test.txt",
        "assent bench recommend --train train.txt --test test.txt --tune 900 --peers none --json",
        "assent bench recommend --events orders.parquet --split 2026-01-01",
        "assent bench recommend --events orders.csv --split 2026-01-01 --peers ease --set ease.ridge=100",
    ),
)
@_file("--train", "The training part: on each line a person and their items.")
@_file("--test", "The test part, in the same format.")
@_file("--events", "A file of events instead: person, item and time.")
@click.option(
    "--split",
    multiple=True,
    callback=_moment,
    metavar="DATE",
    help="Where --events is cut: learned before, judged after.",
)
@click.option("--times/--no-times", default=True, help="Let our model see when things of --events happened, or not.")
@click.option(
    "--tune",
    type=click.FloatRange(min=1),
    is_flag=False,
    flag_value=TUNE_SECONDS,
    metavar="[SECONDS]",
    help="Let our model choose its settings on a slice of the training part, for so long at most; alone: 600.",
)
@click.option(
    "--peers",
    default="all",
    show_default=True,
    callback=_peers,
    metavar="NAMES",
    help=f"Who runs beside ours: all, none, or some of {', '.join(PEERS)}.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=_settings,
    metavar="NAME=VALUE",
    help="Change one setting of one model, such as ease.ridge=100; more than once for more.",
)
@click.option(
    "--count",
    type=click.IntRange(1, limit("compared_list_items_max")),
    default=20,
    show_default=True,
    help="How long lists are.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=_cores, show_default="all cores", help="Threads of each model."
)
@_JSON
@click.pass_context
def recommend(
    ctx: click.Context,
    *,
    train: Path | None,
    test: Path | None,
    events: Path | None,
    split: int | None,
    times: bool,
    tune: float | None,
    peers: tuple[str, ...],
    settings: dict[str, dict[str, Setting]],
    count: int,
    threads: int,
    as_json: bool,
) -> None:
    """Compare our recommender with others on data of your own, by the protocol of the BARS leaderboard.

    Either two text files, in which each line is a person's number and then the numbers of their items (plain or
    gzipped, as public splits come), or one CSV, Parquet or NDJSON file of events that is cut at a date; a file in the
    shape of UCI Online Retail is recognized.

    Every model learns from the training part alone and suggests what each person does not have yet. Recall is hits
    divided by all that the person took in the test part. Each model runs in a process of its own, one after another;
    one that fails or is not installed is a row that says so. Nothing is stored.

    Ends with exit code 1 when our own model fails or the data cannot be used.
    """
    from assent.bench.sources import OneFile, TwoFiles
    from assent.cli.views.comparison import Wanted, compare

    source: TwoFiles | OneFile
    if train and test and events is None and split is None:
        source = TwoFiles(train, test)
    elif events and split is not None and train is None and test is None:
        source = OneFile(events, split, times)
    else:
        raise click.UsageError("Name what to measure on: either --train and --test, or --events and --split.", ctx)
    screen = Screen(as_json=as_json or (ctx.parent is not None and ctx.parent.params["as_json"]))
    wanted = Wanted(source, (OURS, *peers), count, min(threads, _cores()), settings, tune)
    try:
        good = compare(screen, wanted)
    except AssentError as error:
        screen.fail(error)
        raise SystemExit(EXIT_FAILED) from None
    if not good:
        raise SystemExit(EXIT_FAILED)


COMMANDS, ORDER = (bench,), (140,)
