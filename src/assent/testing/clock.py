"""A clock and a randomness for tests."""

from __future__ import annotations

import random

from assent.terms.clock import DAY_MS

#: 2026-01-05T09:00:00Z, a Monday: the start of a test's time by default.
START_MS = 1_767_603_600_000


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at_ms: int = START_MS) -> None:
        """Start at `at_ms`, milliseconds since the epoch."""
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """Return the time of the clock, in milliseconds since the epoch."""
        return self.at_ms

    def move(self, *, days: int = 0, seconds: int = 0) -> None:
        """Move the clock forward (or back, with negative numbers)."""
        self.at_ms += days * DAY_MS + seconds * 1000


class SeededRandomness:
    """Repeatable bytes for tests; never for keys that matter."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def bytes(self, count: int) -> bytes:
        """Return the next `count` bytes of the sequence."""
        return self._random.randbytes(count)
