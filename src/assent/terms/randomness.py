"""Randomness is handed in: secrets come from the operating system, tests hand in a seeded source."""

from __future__ import annotations

import os
from typing import Protocol


class Randomness(Protocol):
    """Gives unpredictable bytes."""

    def take(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


class SystemRandomness:
    """The operating system's cryptographic source."""

    def take(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return os.urandom(count)
