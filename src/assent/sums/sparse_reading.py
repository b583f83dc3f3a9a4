"""Reading a sum over many columns in bulk: whole symmetric rows, and the dense block of a few items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import UNIT
from assent.sums.pairs import PairSum
from assent.sums.rows import EMPTY, Row

#: Entries looked at in one go while the sum is scanned: the masks of one go stay small.
_SCAN_ENTRIES: Final = 1 << 22
#: With more changed rows than one in this many, the sum is put in order again.
_MOVED_SHARE: Final = 64
_MOVED_MIN: Final = 1024

_Values = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.int64]]
_Entries = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]


class SumReader:
    """Reads the symmetric matrix of a `PairSum`, of which only the upper triangle is kept, row after row.

    The triangle is shared, not copied. Rows that changed since it was taken are read from the sum, so that following
    one person does not put millions of rows in order again. Several threads may read at once.
    """

    def __init__(self, total: PairSum) -> None:
        """Read `total` from now on."""
        self.total = total
        self._starts, self._indices, self._values = total.arrays()
        self._moved: set[int] = set()
        self._lengths: NDArray[np.int64] | None = None

    def follow(self, fresh: PairSum, items: Iterable[int]) -> None:
        """Read `fresh` from now on, which differs from the sum before it in the rows `items` only."""
        if fresh.columns != self.total.columns:
            self._lengths = None
        self.total = fresh
        self._moved.update(items)
        if len(self._moved) > max(fresh.columns // _MOVED_SHARE, _MOVED_MIN):
            self.settle()

    def settle(self) -> None:
        """Put the sum in order, and read it from there."""
        self._starts, self._indices, self._values = self.total.arrays()
        self._moved = set()
        self._lengths = None

    def lengths(self) -> NDArray[np.int64]:
        """Return how many entries each symmetric row has, or had when the sum was in order, int64 [columns].

        The diagonal counts twice.
        """
        if self._lengths is not None:
            return self._lengths
        whole = np.zeros(self.total.columns, np.int64)
        for first in range(0, len(self._indices), _SCAN_ENTRIES):
            whole += np.bincount(self._indices[first : first + _SCAN_ENTRIES], minlength=len(whole))
        whole[: len(self._starts) - 1] += np.diff(self._starts)
        self._lengths = whole
        return whole

    def rows(self, items: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Return the symmetric rows of `items` (ascending) without the diagonal: starts, indices (ascending), values.

        Looks once at every entry of the triangle in the rows up to the last of `items`.
        """
        places = np.full(self.total.columns, -1, np.int32)
        places[items] = np.arange(len(items), dtype=np.int32)
        last = int(items[-1]) if len(items) else 0
        # In this order the entries of each row ascend already, but for rows that changed.
        parts = [*self._above(places, last), self._moved_above(places), self._beside(items)]
        owners, indices, values = (np.concatenate([part[place] for part in parts]) for place in range(3))
        whole = scipy.sparse.coo_array((values, (owners, indices)), shape=(len(items), self.total.columns)).tocsr()
        return whole.indptr.astype(np.int64), whole.indices, whole.data

    def _above(self, places: NDArray[np.int32], last: int) -> Iterable[_Entries]:
        """Yield the entries of the triangle's unchanged rows, above the diagonal, whose column has a place."""
        starts = self._starts
        stays = np.ones(len(starts) - 1, np.bool_)
        stays[[item for item in self._moved if item < len(stays)]] = False
        end = int(starts[min(last, len(stays))])
        for first in range(0, end, _SCAN_ENTRIES):
            chunk = self._indices[first : min(first + _SCAN_ENTRIES, end)]
            found = places[chunk]
            at = np.flatnonzero(found >= 0)
            top = int(np.searchsorted(starts, first, side="right")) - 1
            bottom = int(np.searchsorted(starts, first + len(chunk)))
            rows = np.arange(top, bottom, dtype=np.int32).repeat(
                np.diff(np.searchsorted(at, starts[top : bottom + 1] - first))
            )
            kept = rows != chunk[at]
            if self._moved:
                kept &= stays[rows]
            at = at[kept]
            yield found[at], rows[kept], self._values[first : first + len(chunk)][at]

    def _moved_above(self, places: NDArray[np.int32]) -> _Entries:
        """Return the entries of the rows that changed, above the diagonal, whose column has a place."""
        moved = sorted(self._moved)
        rows = [_beyond(self.total.row(item), item) for item in moved]
        owners = np.repeat(np.array(moved, np.int32), [len(row.indices) for row in rows])
        indices, values = _joined(rows)
        found = places[indices]
        kept = found >= 0
        return found[kept], owners[kept], values[kept]

    def _beside(self, items: NDArray[np.int32]) -> _Entries:
        """Return the triangle's own rows of `items`, beyond the diagonal."""
        rows = [_beyond(self.total.row(item), item) for item in items.tolist()]
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row.indices) for row in rows])
        return (owners, *_joined(rows))

    def block(self, items: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the symmetric matrix among `items` (ascending) in units, float64 [k + 1, k + 1].

        The last row and column hold zeros: the place of an item that is not there.
        """
        places = np.full(self.total.columns, -1, np.int32)
        places[items] = np.arange(len(items), dtype=np.int32)
        indices, values, starts = self._triangle_rows(items)
        found = places[indices]
        at = np.flatnonzero(found >= 0)
        counts = np.diff(np.searchsorted(at, starts))
        first, second, amounts = np.arange(len(items)).repeat(counts), found[at], values(at, counts) / UNIT
        block = np.zeros((len(items) + 1, len(items) + 1))
        block[first, second] = amounts
        block[second, first] = amounts
        return block

    def _triangle_rows(self, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], _Values, NDArray[np.int64]]:
        """Return the indices of the triangle's rows side by side, a way to their values, and where each row starts."""
        if self._moved and not self._moved.isdisjoint(items.tolist()):
            rows = [self.total.row(item) for item in items.tolist()]
            indices, values = _joined(rows)
            return indices, lambda at, _: values[at], np.cumsum([0, *(len(row.indices) for row in rows)])
        # The same from the unchanged triangle, without a copy of the values: few of them are asked for.
        known = items[items < len(self._starts) - 1]
        firsts, lasts = self._starts[known], self._starts[known + 1]
        all_indices = self._indices
        pieces = [all_indices[first:last] for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
        starts = np.zeros(len(items) + 1, np.int64)
        np.cumsum(lasts - firsts, out=starts[1 : len(known) + 1])
        starts[len(known) + 1 :] = starts[len(known)]
        shifts = np.zeros(len(items), np.int64)
        shifts[: len(known)] = firsts - starts[: len(known)]
        return (
            np.concatenate([EMPTY.indices, *pieces]),
            lambda at, counts: self._values[at + shifts.repeat(counts)],
            starts,
        )


def _beyond(row: Row, item: int) -> Row:
    """Return a row of the triangle without its diagonal entry."""
    own = int(len(row.indices) > 0 and row.indices[0] == item)
    return Row(row.indices[own:], row.values[own:])


def _joined(rows: Sequence[Row]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    indices = np.concatenate([EMPTY.indices, *(row.indices for row in rows)])
    return indices, np.concatenate([EMPTY.values, *(row.values for row in rows)])
