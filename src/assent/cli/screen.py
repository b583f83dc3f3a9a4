"""The screen of a command: answers on standard output, progress and errors on standard error, JSON when asked for."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from assent.terms.errors import AssentError, InvalidInput

NARROW_COLUMNS, WIDE_COLUMNS = 60, 100

#: Called with how much is done and how much there is, in lines or people.
ProgressCall = Callable[[int, int], None]


def _console(*, stderr: bool) -> Console:
    """Make a console that adds no color by itself and stays readable at 80 columns."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.width = max(NARROW_COLUMNS, min(console.width, WIDE_COLUMNS))
    return console


class Screen:
    """One command's voice: plain words, or JSON when `as_json` is set."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Open standard output and standard error as they stand now."""
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def data(self, value: object) -> None:
        """Print one value as JSON on standard output."""
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))

    def say(self, words: str = "", *, style: str = "") -> None:
        """Print words on standard output; long lines are wrapped under their own indent."""
        text = words.lstrip()
        self._lay(Padding(Text(text, style=style), (0, 0, 0, len(words) - len(text))))

    def heading(self, words: str) -> None:
        """Print a short heading with space above it."""
        self.say()
        self.say(words, style="bold")

    def whole(self, words: str) -> None:
        """Print one line that must stay whole however long it is: a key, or a command to copy."""
        self.out.print(Text(words, style="bold"), soft_wrap=True)

    def _lay(self, what: RenderableType) -> None:
        """Print a layout, without trailing blanks where standard output is no terminal."""
        if self.out.is_terminal:
            self.out.print(what)
            return
        with self.out.capture() as laid:
            self.out.print(what)
        click.echo("\n".join(line.rstrip() for line in laid.get().splitlines()))

    def pairs(self, rows: Sequence[tuple[str, object]]) -> None:
        """Print names and values in two columns."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in rows:
            grid.add_row(Text(f"  {name}"), value if isinstance(value, Text) else Text(str(value)))
        self._lay(grid)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, total: Sequence[object] = ()) -> None:
        """Print a table; columns of whole numbers are right-aligned. `total` is one more row under a line."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        every = [*rows, total] if total else rows
        for place, head in enumerate(heads):
            numbers = all(isinstance(row[place], int) for row in every) and bool(every)
            table.add_column(head, justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        if total:
            table.add_section()
            table.add_row(*(cell(value, style="bold") for value in total))
        self._lay(table)

    def fail(self, error: AssentError) -> None:
        """Say on standard error what is wrong and what to do next."""
        if self.as_json:
            content = {"error": {"code": error.code, "message": error.message, "advice": error.advice}}
            click.echo(json.dumps(content, ensure_ascii=False), err=True)
            return
        self.err.print(Text(f"Error: {error.message}", style="red"))
        self.err.print(Text(error.advice))

    def confirm(self, question: str, *, flag: str) -> None:
        """Ask on standard error and return after a yes; `flag` is the option that answers beforehand.

        Asks only at a terminal: input that a script pipes in is no answer of a person. Raises `InvalidInput` without a
        terminal, `click.Abort` after a no.
        """
        # A stream that was closed before the program began is not there at all.
        if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
            raise InvalidInput(
                f"This has to be confirmed, and there is no terminal to ask at: {question}",
                advice=f"Add {flag} to go ahead without being asked.",
            )
        click.confirm(question, abort=True, err=True)

    @contextmanager
    def busy(self, words: str) -> Iterator[None]:
        """Show a spinner and the elapsed time on standard error, at a terminal only."""
        with self._progress(counted=False) as progress:
            progress.add_task(words, total=None)
            yield

    @contextmanager
    def counting(self, words: str) -> Iterator[ProgressCall]:
        """Show a progress bar on standard error; yields the function to call with (done, all)."""
        with self._progress(counted=True) as progress:
            task = progress.add_task(words, total=None)
            yield lambda done, everything: progress.update(task, completed=done, total=everything)

    def _progress(self, *, counted: bool) -> Progress:
        counts = (BarColumn(bar_width=24), MofNCompleteColumn()) if counted else ()
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            *counts,
            TimeElapsedColumn(),
            console=self.err,
            transient=True,
            disable=self.as_json or not self.err.is_terminal,
        )


def cell(value: object, *, style: str = "") -> Text:
    """Return one table cell: whole numbers with thousands separators, other values as `str`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}", style=style)
    return Text(str(value), style=style)


def plain(value: object) -> Any:
    """Convert an answer to JSON values: structs and mappings to objects, sequences to lists, bytes to hex."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value


def moment(at_ms: int | None) -> str:
    """Return a moment in words, in UTC."""
    if at_ms is None:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def took(seconds: float) -> str:
    """Return a duration with the unit that fits it."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.1f} s"
