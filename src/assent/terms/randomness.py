"""Randomness is handed in: secrets come from the operating system, tests hand in a seeded source."""

from __future__ import annotations

import os
import threading
from typing import Protocol


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


#: Requests of up to 16 bytes, the size of ids and nonces, are cut from a 4 KiB buffer of random bytes: one system call
#: serves 256 ids. A call for each would cost as much as sealing a record.
SMALL_BYTES = 16
BUFFER_BYTES = 4_096

#: Fork depth of this process. A comparison with it costs less than asking the system for the process id.
_forks = 0


def _forked() -> None:
    global _forks  # noqa: PLW0603 - the interpreter calls this in the child, with no argument
    _forks += 1


os.register_at_fork(after_in_child=_forked)


class SystemRandomness:
    """The operating system's cryptographic source. Safe to use from several threads, and in a forked process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffer, self._used, self._forks = b"", 0, 0

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes, never the same twice; more than 16 come from the system directly."""
        if count > SMALL_BYTES:
            return os.urandom(count)
        with self._lock:
            start, self._used = self._used, self._used + count
            # A forked child has a copy of its parent's buffer: it must fill one of its own.
            if self._used > len(self._buffer) or self._forks != _forks:
                self._buffer, self._forks = os.urandom(BUFFER_BYTES), _forks
                start, self._used = 0, count
            return self._buffer[start : self._used]
