"""What became of the lines of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of every line of a file: the counts of `table` add up to `lines`."""

    table: Mapping[str, int]
    lines: int
    seconds: float
