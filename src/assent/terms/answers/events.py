"""The answer about events that were taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The outcome of a batch: how many events were stored, and how many were dropped for which reason."""

    stored: int
    dropped: Mapping[str, int]
