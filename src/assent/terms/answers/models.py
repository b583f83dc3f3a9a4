"""What a training answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What one training did."""

    people: int
    items: int
    added: int
    removed: int
    digest: str
    version: int
    seconds: float
    rebuilt: bool
