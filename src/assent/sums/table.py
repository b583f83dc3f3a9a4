"""The rows of an upper triangle in one read-only table, with the digest of each row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.sums.rows import EMPTY, Row, pack, side_by_side
from assent.terms.errors import Corrupt

DIGEST_BYTES: Final = 32


class HashedRow:
    """One row, and its digest after the first request for it."""

    __slots__ = ("_digest", "row")

    def __init__(self, row: Row, digest: bytes | None = None) -> None:
        self.row = row
        self._digest = digest

    def digest(self) -> bytes:
        """Return the SHA-256 of the row's stored form, 32 bytes."""
        if self._digest is None:
            self._digest = hashlib.sha256(pack(self.row)).digest()
        return self._digest


class RowTable:
    """Rows as CSR arrays: `starts` int64 [n + 1], `indices` int32, `values` int64 (they may be maps of a file)."""

    __slots__ = ("_digests", "indices", "starts", "values")

    def __init__(
        self,
        starts: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.int64],
        digests: NDArray[np.uint8] | None = None,
    ) -> None:
        """Take over the arrays, `starts` int64 [n + 1], `indices` int32 and `values` int64, both [entries].

        They must not be written to from now on. `digests`, if they are known: uint8 [n, 32].
        """
        self.starts = starts
        self.indices = indices
        self.values = values
        self._digests = digests

    @classmethod
    def empty(cls, rows: int) -> Self:
        """Make a table of `rows` empty rows."""
        return cls(np.zeros(rows + 1, np.int64), *EMPTY)

    @classmethod
    def of(cls, rows: Sequence[Row], digests: NDArray[np.uint8] | None = None) -> Self:
        """Make a table of rows and, if they are known, their digests, uint8 [n, 32]."""
        return cls(*side_by_side(rows), digests)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.starts) - 1

    def row(self, item: int) -> Row:
        """Return row `item`."""
        first, last = self.starts[item : item + 2].tolist()
        return Row(self.indices[first:last], self.values[first:last])

    def rows(self, items: NDArray[np.int32], changed: Mapping[int, Row]) -> list[Row]:
        """Return the rows of `items`, int32 [k], those in `changed` in place of the table's."""
        firsts, lasts = self.starts[items].tolist(), self.starts[1:][items].tolist()
        indices, values, get = self.indices, self.values, changed.get
        return [
            get(item) or Row(indices[first:last], values[first:last])
            for item, first, last in zip(items.tolist(), firsts, lasts, strict=True)
        ]

    def grown(self, rows: int) -> RowTable:
        """Return a table with empty rows appended until there are `rows`."""
        more = rows - len(self)
        digests = self._digests
        if digests is not None:
            empty = np.frombuffer(HashedRow(EMPTY).digest(), np.uint8)
            digests = np.concatenate((digests, np.tile(empty, (more, 1))))
        starts = np.concatenate((self.starts, np.full(more, self.starts[-1], np.int64)))
        return RowTable(starts, self.indices, self.values, digests)

    def digests(self) -> NDArray[np.uint8]:
        """Return the digest of every row, uint8 [n, 32]; computed once for all sums that share this table."""
        if self._digests is None:
            whole = b"".join(HashedRow(self.row(item)).digest() for item in range(len(self)))
            self._digests = np.frombuffer(whole, np.uint8).reshape(len(self), DIGEST_BYTES)
        return self._digests

    @property
    def digested(self) -> bool:
        """True when the digests were computed already."""
        return self._digests is not None

    def check(self, counts: NDArray[np.int64]) -> None:
        """Raise `Corrupt` unless the arrays are an upper triangle of positive numbers that fits `counts`, int64 [n]."""
        starts, indices = self.starts, self.indices
        sound = len(starts) == len(counts) + 1 and int(starts[0]) == 0 and int(starts[-1]) == len(indices)
        sound = sound and len(indices) == len(self.values) and bool((np.diff(starts) >= 0).all())
        sound = sound and np.array_equal(np.diff(starts) > 0, counts > 0)
        if sound and len(indices):
            filled = np.flatnonzero(np.diff(starts))
            steps = np.diff(indices)
            steps[starts[filled[1:]] - 1] = 1
            sound = bool((steps > 0).all() and (indices[starts[filled]] == filled).all())
            sound = sound and int(indices.max()) < len(counts) and int(self.values.min()) > 0
        if not sound:
            raise Corrupt("The stored sum is not a valid sum.")
