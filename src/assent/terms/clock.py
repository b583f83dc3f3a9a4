"""Time is handed in, never taken: rooms ask a `Clock`, tests hand in their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

DAY_MS = 86_400_000


class Clock(Protocol):
    """A source of the time, in whole milliseconds since 1970-01-01T00:00:00Z."""

    def now_ms(self) -> int:
        """Return the present moment in milliseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return the present moment in milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


def to_text(at_ms: int) -> str:
    """Write a moment as RFC 3339 text in UTC with milliseconds."""
    seconds, millis = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    """Write a whole second; it is cached because many moments share it and formatting it is slow."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
