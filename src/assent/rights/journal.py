"""The erase journal: a small file apart from the data with the erased people, by random ids and keyed digests only.

A restored backup of the data brings erased people back. No backup of data carries the journal, so they are erased again
before the store serves. The file is append-only; a line is durable before its erasure continues. A last line that a
crash cut short is written again by the erasure that continues.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import msgspec

from assent.terms.errors import Corrupt, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MODE = 0o600
END = b"\n"


class JournalLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requested erasure: its random id, the person's random id, and the blind indexes of their identifiers."""

    erasure: bytes
    person: bytes
    blinds: tuple[tuple[str, bytes], ...]
    requested_ms: int


class ErasureJournal:
    """The journal file; several threads and processes may append to it."""

    def __init__(self, path: Path) -> None:
        """Keep the journal at `path`; the file is made with its first line."""
        self.path = path

    def lines(self) -> list[JournalLine]:
        """Return every whole line, oldest first; raises `Corrupt` for an unreadable line before the last."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return _parse(content)

    def add(self, line: JournalLine) -> None:
        """Append one line, unless it is there, and make it durable; raises `StoreUnavailable` when it cannot."""
        try:
            self._add(msgspec.json.encode(line) + END)
        except OSError as error:
            raise StoreUnavailable(
                "The erase journal cannot be written, so nobody can be erased.",
                advice="Give the server leave and room to write beside its key file, then ask again.",
            ) from error

    def _add(self, text: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # released when the file is closed
            content = file.read()
            if text not in content:
                whole = content.rfind(END) + 1
                file.truncate(whole)
                file.seek(whole)
                file.write(text)
                file.flush()
            os.fsync(descriptor)
        _sync_directory(self.path.parent)

    def erasure_of(self, blinds: Sequence[tuple[str, bytes]]) -> bytes | None:
        """Return the id of the newest erasure of a person with one of these identifiers, None without one."""
        wanted = set(blinds)
        for line in reversed(self.lines()):
            if not wanted.isdisjoint(line.blinds):
                return line.erasure
        return None


def _parse(content: bytes) -> list[JournalLine]:
    *whole, _ = content.split(END)
    try:
        return [msgspec.json.decode(text, type=JournalLine) for text in whole]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Corrupt(
            "A line of the erase journal cannot be read.",
            advice="Put the journal back from a copy: it says who must not come back.",
        ) from error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
