"""Dropped events: the reasons are the codes of `assent.terms.refusals.DROPS`, the labels under /metrics."""

from __future__ import annotations


class DroppedEvent(Exception):
    """Raised for one event that will not be kept; `reason` is a code of the table."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
