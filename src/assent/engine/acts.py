"""Acts: the roles of API keys that may do each, and the counts of what this process did."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

#: The roles of API keys, in the order in which errors list them.
ROLE_NAMES = ("browser", "server", "officer", "monitor")


@dataclass(frozen=True, slots=True)
class Act:
    """One act that a key may be allowed, and the roles that may do it. Every other role is refused."""

    name: str
    roles: frozenset[str]

    @classmethod
    def of(cls, name: str, *roles: str) -> Act:
        """Return the act of that name for these roles; raises `ValueError` for a role that does not exist."""
        if not set(roles) <= set(ROLE_NAMES):
            raise ValueError(f"{name} names a role that does not exist.")
        return cls(name, frozenset(roles))


class ActCounts:
    """Counts of the acts that this process did. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, act: str, times: int = 1) -> None:
        """Count an act."""
        with self._lock:
            self._counts[act] += times

    def all(self) -> dict[str, int]:
        """Return every act that was done, with its count."""
        with self._lock:
            return dict(self._counts)
