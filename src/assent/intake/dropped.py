"""One event that is not kept: its code is one of `assent.terms.refusals.DROPS`, the labels under /metrics."""

from __future__ import annotations


class Dropped(Exception):
    """One event will not be kept, for a reason of the table."""

    def __init__(self, reason: str) -> None:
        """Name the reason."""
        super().__init__(reason)
        self.reason = reason
