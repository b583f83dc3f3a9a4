"""`assent import`: events and items from files, with a count for every line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from assent.cli.context import CommandContext, context_options, examples, purposes_listed
from assent.cli.screen import took
from assent.cli.views.answers import outcome

SHAPES = ("events", "items", "online-retail")

_LOOK_FOR = (
    "In lines that are not readable or not possible something is missing, lies in the future, or is no number written "
    "like 1234.50. They were left out; the others are in."
)


@click.command(
    "import",
    short_help="Import events, items, or UCI Online Retail",
    epilog=examples(
        "assent import items goods.csv",
        'assent import online-retail online_retail.parquet --grant personalize,learn --evidence "terms of 2026-01-05"',
        "assent import events events.ndjson",
        "assent import events events.csv --consent-column agreed_to",
    ),
)
@click.argument("shape", type=click.Choice(SHAPES))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--grant",
    default="",
    callback=purposes_listed,
    metavar="PURPOSES",
    help="The purposes that the people in the file agreed to, with commas between them.",
)
@click.option("--evidence", metavar="TEXT", help="How you know that they agreed; kept, sealed, with every consent.")
@click.option("--consent-column", metavar="NAME", help="The column that tells what each person agreed to.")
@context_options
def import_(
    context: CommandContext,
    *,
    shape: str,
    file: Path,
    grant: tuple[str, ...],
    evidence: str | None,
    consent_column: str | None,
) -> None:
    """Import events, items, or UCI Online Retail from CSV, Parquet or NDJSON.

    What people did is stored only under a consent that you state: with --grant and --evidence for everybody in the
    file, or with a column. An import that was interrupted goes on where it stopped, and the same file twice changes
    nothing.
    """
    with context.open() as engine, context.screen.counting(f"Importing {file.name}") as progress:
        done = engine.imports.run(
            shape, file, grant=grant, evidence=evidence, consent_column=consent_column, progress=progress
        )
    if context.screen.as_json:
        context.screen.data(done)
        return
    print_import(context, file.name, done.table, done.lines, done.seconds)


def print_import(context: CommandContext, name: str, table: Mapping[str, int], lines: int, seconds: float) -> None:
    """Print what became of every line, and the sum that shows that none is missing."""
    context.screen.heading(f"{name}: {lines:,} lines in {took(seconds)}")
    rows = [(outcome(row), count) for row, count in table.items()]
    context.screen.table(("What became of the lines", "Lines"), rows, total=("all", sum(table.values())))
    if table.get("bad"):
        context.screen.say(_LOOK_FOR)


COMMANDS, ORDER = (import_,), (40,)
