"""A reader of sums over many columns: whole symmetric rows, and the dense block of a few items."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import UNIT
from assent.sums.pairs import PairSum
from assent.sums.rows import EMPTY, Row

#: Entries scanned at once: their masks stay small.
_SCAN_ENTRIES: Final = 1 << 22
#: Entries scanned at once where they fit the processor's cache.
_CACHED_ENTRIES: Final = 1 << 16
#: With more changed rows than 1 / `_CHANGED_SHARE` of all, and than `_CHANGED_ROWS`, all rows are read anew.
_CHANGED_SHARE: Final = 64
_CHANGED_ROWS: Final = 1024

Each = Callable[[Callable[[int], Any], Iterable[int]], Iterable[Any]]
_Entries = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]


class SumReader:
    """Reads the symmetric matrix of a `PairSum`, of which only the upper triangle is kept, row after row.

    The triangle is shared, not copied. Rows that changed since then are read from the sum, so that a change of one
    person does not sort millions of rows again. Several threads may read at once.
    """

    def __init__(self, total: PairSum) -> None:
        self.total = total
        self._starts, self._indices, self._values = total.arrays()
        self._changed: set[int] = set()
        #: True for rows of the triangle that have not changed, bool [n].
        self._unchanged: NDArray[np.bool_] = np.ones(len(self._starts) - 1, np.bool_)
        self._lengths: NDArray[np.int64] | None = None

    def copy(self) -> SumReader:
        """Return an independent reader that shares the triangle with this one."""
        return copy.copy(self)

    def follow(self, fresh: PairSum, items: Iterable[int]) -> None:
        """Read `fresh` from now on; it differs from the sum before it in the rows `items` only."""
        if fresh.columns != self.total.columns:
            self._lengths = None
        self.total = fresh
        changed = list(items)
        # Not in place: copies share them.
        self._changed = self._changed.union(changed)
        self._unchanged = self._unchanged.copy()
        self._unchanged[[item for item in changed if item < len(self._unchanged)]] = False
        if len(self._changed) > max(fresh.columns // _CHANGED_SHARE, _CHANGED_ROWS):
            self.flush()

    def flush(self) -> None:
        """Read all rows from the sum's own arrays again."""
        self._starts, self._indices, self._values = self.total.arrays()
        self._changed = set()
        self._unchanged = np.ones(len(self._starts) - 1, np.bool_)
        self._lengths = None

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of entries of each symmetric row at the last `flush`, int64 [columns].

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

    def rows(
        self, items: NDArray[np.int32], each: Each = map
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Return the symmetric rows of `items`, int32 [k] ascending, without the diagonal, as CSR arrays.

        They are starts int64 [k + 1], indices int32, ascending in each row, and values int64.

        It scans the triangle once, up to the row of the last item; `each` is `map`, or that of a pool of threads.
        """
        places = np.full(self.total.columns, -1, np.int32)
        places[items] = np.arange(len(items), dtype=np.int32)
        wanted = places >= 0
        end = int(self._starts[min(int(items[-1]) if len(items) else 0, len(self._unchanged))])

        def above(first: int) -> _Entries:
            return self._above(places, wanted, first, min(first + _SCAN_ENTRIES, end))

        # In this order the entries of each row ascend already, except in rows that changed.
        parts = [*each(above, range(0, end, _SCAN_ENTRIES)), self._changed_above(places), self._beside(items)]
        owners, indices, values = (np.concatenate([part[place] for part in parts]) for place in range(3))
        whole = scipy.sparse.coo_array((values, (owners, indices)), shape=(len(items), self.total.columns)).tocsr()
        return whole.indptr.astype(np.int64), whole.indices, whole.data

    def _above(self, places: NDArray[np.int32], wanted: NDArray[np.bool_], first: int, last: int) -> _Entries:
        """Return the entries from `first` to `last` of unchanged rows, off the diagonal, whose column has a place."""
        starts, chunk = self._starts, self._indices[first:last]
        at = _marked(wanted, chunk)
        top = int(np.searchsorted(starts, first, side="right")) - 1
        bottom = int(np.searchsorted(starts, last))
        rows = np.arange(top, bottom, dtype=np.int32).repeat(
            np.diff(np.searchsorted(at, starts[top : bottom + 1] - first))
        )
        columns = chunk[at]
        kept = (rows != columns) & self._unchanged[rows]
        at = at[kept]
        return places[columns[kept]], rows[kept], self._values[first:last][at]

    def _changed_above(self, places: NDArray[np.int32]) -> _Entries:
        """Return the entries of changed rows, off the diagonal, whose column has a place."""
        changed = sorted(self._changed)
        rows = [_beyond(self.total.row(item), item) for item in changed]
        owners = np.repeat(np.array(changed, np.int32), [len(row.indices) for row in rows])
        indices, values = _joined(rows)
        found = places[indices]
        kept = found >= 0
        return found[kept], owners[kept], values[kept]

    def _beside(self, items: NDArray[np.int32]) -> _Entries:
        """Return the triangle's own rows of `items` without the diagonal."""
        rows = [_beyond(self.total.row(item), item) for item in items.tolist()]
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row.indices) for row in rows])
        return (owners, *_joined(rows))

    def entries(
        self, items: NDArray[np.int32], first: NDArray[np.intp], second: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return entries of the symmetric matrix among `items`, int32 [k] ascending, k < 65,535, in units, float64.

        `first` <= `second`, intp of one shape, which is also that of the answer, are places in `items`; place k is an
        absent item, whose entries are zero. It scans the triangle's rows of `items` once.
        """
        rows = self._triangle_rows(items)
        names = np.zeros(self.total.columns, np.uint16)
        names[items] = np.arange(1, len(items) + 1, dtype=np.uint16)
        at, found = rows.named(names)
        owners = np.arange(len(items)).repeat(np.diff(np.searchsorted(at, rows.starts)))
        # The number of each pair of items among the found entries, from one on.
        side = len(items) + 1
        numbers = np.zeros(side * side, np.int32)
        numbers[owners * side + found - 1] = np.arange(1, len(at) + 1, dtype=np.int32)
        wanted = numbers[first * side + second]
        there = wanted > 0
        entries = np.zeros(first.shape)
        entries[there] = rows.values_at(at[wanted[there] - 1], first[there]) / UNIT
        return entries

    def _triangle_rows(self, items: NDArray[np.int32]) -> _Rows:
        """Return the triangle's rows of `items`: views of unchanged rows, and the changed rows from the sum."""
        changed = np.array([item in self._changed for item in items.tolist()], np.bool_)
        unchanged = ~changed & (items < len(self._unchanged))
        lengths, firsts = np.zeros(len(items), np.int64), np.zeros(len(items), np.int64)
        firsts[unchanged] = self._starts[items[unchanged]]
        lengths[unchanged] = self._starts[items[unchanged] + 1] - firsts[unchanged]
        own = [self.total.row(item) for item in items[changed].tolist()]
        lengths[changed] = [len(row.indices) for row in own]
        firsts[changed] = np.cumsum(lengths[changed]) - lengths[changed]
        indices = self._indices
        pieces = [indices[first:last] for first, last in zip(firsts.tolist(), (firsts + lengths).tolist(), strict=True)]
        for place, row in zip(np.flatnonzero(changed).tolist(), own, strict=True):
            pieces[place] = row.indices
        starts = np.concatenate(([0], np.cumsum(lengths)))
        # The values are not copied: few of them are read.
        own_values = np.concatenate([EMPTY.values, *(row.values for row in own)])
        return _Rows(pieces, starts, firsts - starts[:-1], changed, self._values, own_values)


class _Rows(NamedTuple):
    """Rows in order: the start of each, and the shift from there to its values, in one of two arrays."""

    indices: list[NDArray[np.int32]]
    starts: NDArray[np.int64]
    shifts: NDArray[np.int64]
    changed: NDArray[np.bool_]
    values: NDArray[np.int64]
    changed_values: NDArray[np.int64]

    def values_at(self, places: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the values at `places` among all entries, int64 [p], in the `rows`, intp [p]: int64 [p]."""
        there, changed = places + self.shifts[rows], self.changed[rows]
        found_values = np.empty(len(places), np.int64)
        found_values[changed], found_values[~changed] = (
            self.changed_values[there[changed]],
            self.values[there[~changed]],
        )
        return found_values

    def named(self, names: NDArray[np.uint16]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return the places of entries whose column has a name above zero, int64 [p], and the names, uint16 [p]."""
        places, found = [np.empty(0, np.int64)], [np.empty(0, np.uint16)]
        cuts = np.unique(np.searchsorted(self.starts, np.arange(0, self.starts[-1], _CACHED_ENTRIES))).tolist()
        for first, last in itertools.pairwise([*cuts, len(self.indices)]):
            # In pieces that fit the processor's cache.
            some = names.take(np.concatenate([EMPTY.indices, *self.indices[first:last]]), mode="clip")
            at = np.flatnonzero(some != 0)
            places.append(at + self.starts[first])
            found.append(some[at])
        return np.concatenate(places), np.concatenate(found)


def _marked(marks: NDArray[np.bool_], indices: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the places of marked `indices`, in pieces that fit the processor's cache."""
    found = [np.empty(0, np.intp)]
    for first in range(0, len(indices), _CACHED_ENTRIES):
        some = indices[first : first + _CACHED_ENTRIES]
        found.append(np.flatnonzero(marks.take(some, mode="clip")) + first)
    return np.concatenate(found)


def _beyond(row: Row, item: int) -> Row:
    """Return a row of the triangle without its diagonal entry."""
    own = int(len(row.indices) > 0 and row.indices[0] == item)
    return Row(row.indices[own:], row.values[own:])


def _joined(rows: Sequence[Row]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    indices = np.concatenate([EMPTY.indices, *(row.indices for row in rows)])
    return indices, np.concatenate([EMPTY.values, *(row.values for row in rows)])
