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


class SystemRandomness:
    """The operating system's cryptographic source. Safe to use from several threads, and in a forked process."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._lock = threading.Lock()
        self._lump, self._at, self._process = b"", 0, 0

    def take(self, count: int) -> bytes:
        """Return `count` random bytes, each given out once; more than an id's come from the system directly."""
        if count > SMALL_BYTES_MAX:
            return os.urandom(count)
        with self._lock:
            start, self._at = self._at, self._at + count
            # A child would give out what its parent gives out: it takes a lump of its own.
            if self._at > len(self._lump) or self._process != os.getpid():
                self._lump, self._process = os.urandom(LUMP_BYTES), os.getpid()
                start, self._at = 0, count
            return self._lump[start : self._at]
