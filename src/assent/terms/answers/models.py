"""The answer of a training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainReport:
    """The report of one training."""

    people: int
    items: int
    added: int
    removed: int
    digest: str
    version: int
    seconds: float
    rebuilt: bool
