"""What became of events that came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a batch: how many events were stored, and how many dropped for which reason."""

    stored: int
    dropped: Mapping[str, int]
