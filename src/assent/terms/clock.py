"""Time is handed in, never taken: rooms ask a `Clock`, tests hand in their own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

DAY_MS = 86_400_000


class Clock(Protocol):
    """Tells the time as whole milliseconds since 1970-01-01T00:00:00Z."""

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
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
