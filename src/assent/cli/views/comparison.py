"""A comparison of recommenders on the screen: its data, a row for each model as it comes, or all as JSON at the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click

from assent.bench.peers import OURS, PEERS, Setting
from assent.bench.runs import RunPlan, run
from assent.bench.sources import OneFile, TwoFiles, read_split
from assent.bench.splits import Split
from assent.cli.screen import Screen
from assent.terms.plurals import counted

#: Without a terminal, at most one line of progress in this time.
_LINE_SECONDS: Final = 20.0
#: At a terminal, at most one new text in this time.
_BLINK_SECONDS: Final = 0.5
_HEADS: Final = ("fit s", "peak MB", "people/s")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A comparison as the command line asks for it; the first of the models is ours."""

    source: TwoFiles | OneFile
    models: tuple[str, ...]
    count: int
    threads: int
    settings: Mapping[str, Mapping[str, Setting]]
    tune_seconds: float | None


def compare(screen: Screen, wanted: Wanted) -> bool:
    """Measure every model and print it; returns True if our own has figures. Raises `InvalidInput` and `NotFound`."""
    with screen.busy("Reading"):
        split, notes = read_split(wanted.source, validating=wanted.tune_seconds is not None)
    if not screen.as_json:
        _introduce(screen, split, notes, wanted)
    plan = RunPlan(wanted.models, wanted.count, wanted.threads, wanted.settings, wanted.tune_seconds)
    progress = Progress(screen)
    rows: list[dict[str, Any]] = []
    try:
        with _stoppable():
            for row in run(split, plan, progress.tell):
                progress.clear()
                rows.append(row)
                if screen.as_json:
                    click.echo(_line(row, wanted.count), err=True)
                else:
                    screen.say(_line(row, wanted.count))
    finally:
        progress.clear()
        if screen.as_json:
            screen.data(rows)
        elif rows:
            _explain(screen, rows)
    return rows[0]["model"] == OURS and rows[0]["fit_seconds"] is not None


@contextmanager
def _stoppable() -> Iterator[None]:
    """Treat SIGTERM as an interrupt: finished rows are printed, and no temporary file is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _introduce(screen: Screen, split: Split, notes: list[str], wanted: Wanted) -> None:
    """Print the size of the data and the heads of the columns."""
    people, items = (
        counted(split.training.shape[0], "person", "people"),
        counted(split.training.shape[1], "item", "items"),
    )
    tested, more = counted(len(split.tested), "person", "people"), int(split.sizes.sum())
    if notes:
        screen.say(f"Read: {', '.join(notes)}.")
    screen.say(f"Learned from: {people}, {items}, {counted(split.training.nnz, 'pair', 'pairs')}.")
    screen.say(f"Judged by: {tested} who took {counted(more, 'more item', 'more items')}.")
    for note in split.notes:
        screen.say(f"  {note}.")
    screen.say(f"Each model on {wanted.threads} of the machine's cores, in a process of its own.")
    names = (f"Recall@{wanted.count}", f"NDCG@{wanted.count}", *_HEADS)
    screen.say()
    screen.say(f"{'':<14}" + "".join(f"{name:>11}" for name in names), style="bold")


def _line(row: Mapping[str, Any], count: int) -> str:
    """Return one row as text; a row without figures says why."""
    if row["fit_seconds"] is None:
        return f"{row['model']:<14}  {row['note']}"
    figures = (
        f"{row[f'recall@{count}']:.4f}",
        f"{row[f'ndcg@{count}']:.4f}",
        f"{row['fit_seconds']:,.1f}",
        f"{row['peak_mb']:,.0f}",
        f"{row['people_per_second']:,.0f}",
    )
    return f"{row['model']:<14}" + "".join(f"{figure:>11}" for figure in figures)


def _explain(screen: Screen, rows: list[dict[str, Any]]) -> None:
    """Print the settings of each model."""
    screen.say()
    for row in rows:
        chosen = ", ".join(f"{name} {value}" for name, value in row.get("settings", {}).items())
        what = PEERS[row["model"]].what if row["model"] in PEERS else "ours"
        if chosen:
            screen.say(f"{row['model']}: {what}; {chosen}.")
        if "tune_seconds" in row:
            screen.say(f"  Its settings were found on a slice of the training part in {row['tune_seconds']:,.0f} s.")


class Progress:
    """Progress on standard error: one line that is overwritten at a terminal, else a new line every 20 seconds."""

    def __init__(self, screen: Screen) -> None:
        self._console = screen.err
        self._at_terminal = screen.err.is_terminal and not screen.as_json
        self._shown_at = time.monotonic()
        self._began = ("", self._shown_at)
        self._shown = False

    def tell(self, model: str, stage: str, share: float) -> None:
        """Show a model's stage and the share done, from 0 to 1, no more often than can be read."""
        now = time.monotonic()
        if self._began[0] != model:
            self._began = (model, now)
        if now - self._shown_at < (_BLINK_SECONDS if self._at_terminal else _LINE_SECONDS):
            return
        self._shown_at = now
        # Some models do not report their share.
        done = f" {share:.0%}" if share else ""
        line = f"{model}: {stage}{done}, {now - self._began[1]:,.0f} s"
        if self._at_terminal:
            self.clear()
            self._console.file.write(line)
            self._console.file.flush()
            self._shown = True
        else:
            click.echo(line, err=True)

    def clear(self) -> None:
        """Clear the line that is overwritten."""
        if self._shown:
            self._console.file.write("\r\x1b[2K")
            self._console.file.flush()
            self._shown = False
