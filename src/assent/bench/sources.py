"""The data of a comparison: two text files, or one file of events that is cut at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assent.bench.pair_files import read_pairs
from assent.bench.splits import Split, split_of_actions, split_of_pairs
from assent.intake.files.actions import read_actions
from assent.terms.plurals import counted


@dataclass(frozen=True, slots=True)
class TwoFiles:
    """A training part and a test part, each in a text file of its own."""

    train: Path
    test: Path


@dataclass(frozen=True, slots=True)
class OneFile:
    """A file of events, the moment at which it is cut (milliseconds since the epoch), and whether times are learned."""

    path: Path
    split_ms: int
    times: bool


def read_split(source: TwoFiles | OneFile, *, validating: bool) -> tuple[Split, list[str]]:
    """Return the data as a split, and the counts of its lines by outcome, in words."""
    if isinstance(source, TwoFiles):
        return split_of_pairs(read_pairs(source.train), read_pairs(source.test)), []
    events = read_actions(source.path)
    split = split_of_actions(events, source.split_ms, times=source.times, validating=validating)
    return split, [f"{counted(count, 'line', 'lines')} {outcome}" for outcome, count in events.table.items() if count]
