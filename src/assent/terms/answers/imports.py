"""The answer about the lines of an imported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of every line of a file: the counts of `table` add up to `lines`."""

    table: Mapping[str, int]
    lines: int
    seconds: float
