"""Randomness is handed in: secrets come from the operating system, tests hand in a seeded source."""

from __future__ import annotations

import os
import threading
from typing import Protocol


class Randomness(Protocol):
    """Gives unpredictable bytes."""

    def take(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


#: Up to so many bytes, the size of ids and nonces, come out of a lump: asking the system costs as much as sealing.
SMALL_BYTES_MAX = 16
LUMP_BYTES = 4_096

#: How many processes this one is a fork of a fork of; asking the system for its number would cost more than the piece.
_forks = 0


def _forked() -> None:
    global _forks  # noqa: PLW0603 - the system calls this, and tells nobody else
    _forks += 1


os.register_at_fork(after_in_child=_forked)


class SystemRandomness:
    """The operating system's cryptographic source. Safe to use from several threads, and in a forked process."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._lock = threading.Lock()
        self._lump, self._at, self._forks = b"", 0, 0

    def take(self, count: int) -> bytes:
        """Return `count` random bytes, each given out once; more than an id's come from the system directly."""
        if count > SMALL_BYTES_MAX:
            return os.urandom(count)
        with self._lock:
            start, self._at = self._at, self._at + count
            # A child would give out what its parent gives out: it takes a lump of its own.
            if self._at > len(self._lump) or self._forks != _forks:
                self._lump, self._forks = os.urandom(LUMP_BYTES), _forks
                start, self._at = 0, count
            return self._lump[start : self._at]
