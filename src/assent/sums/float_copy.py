"""A float copy of a whole symmetric sum, for a model that reads its rows often; it is updated in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import UNIT
from assent.sums.products import add_rows

#: Entries that are converted at once.
_BLOCK_ENTRIES: Final = 1 << 20
#: Free places for new entries: behind each row, and behind all rows, a share of 1 / `_ROOM_SHARE` and a few more.
_ROOM_SHARE: Final = 16
_ROOM_ENTRIES: Final = 8
#: A row is written anew once more than 1 / `_ZERO_SHARE` of its entries became zero.
_ZERO_SHARE: Final = 8
#: A row with entries in more than 1 / `_FULL_SHARE` of the columns is kept in full: it is read and written without a
#: search.
_FULL_SHARE: Final = 6
#: Places of one SciPy matrix lie within this distance: SciPy needs them in the type of the columns, int32.
_REACH_ENTRIES: Final = 1 << 30

#: The places of entries in rows, int64 [k, t], and which of the entries exist, bool [k, t].
Places = tuple[NDArray[np.int64], NDArray[np.bool_]]
Entries = TypeVar("Entries", int, NDArray[np.int64])


class FloatCopy:
    """The entries of a `PairSum` beside its diagonal, in units (2^20 steps), rounded to float32 or float64.

    Rows of many entries are rows of `full`. Another row `i` is `indices[starts[i] : ends[i]]`, ascending, with its
    `values`; there is room up to `limits[i]`. Unlike the rows of a sum they are changed in place, so a float copy
    belongs to one reader.

    An entry that became zero stays in its row for a while, but its column is overwritten by that of the entry before
    it: a row with columns `2 5 7 9` whose entry at 7 became zero has columns `2 5 5 9`. So the memory of this process
    does not show which pair a removed person had, and a search for 5 still finds the first of the two.
    """

    def __init__(
        self, starts: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[np.int64], dtype: Any
    ) -> None:
        """Convert an upper triangle, CSR: `starts` int64 [n + 1], `indices` int32 [entries], `values` int64 [entries].

        Extra memory: one block of entries. The copy is of `dtype`, float32 or float64.
        """
        self.columns = len(starts) - 1
        #: The content token of the `SumRows` that it is equal to, None while it changes.
        self.content: object = None
        #: Entries below it are exact: they were not rounded.
        self._exact_below = 2.0 ** (np.finfo(dtype).nmant + 1) / UNIT
        held_rows = np.flatnonzero(np.diff(starts))
        self._diagonal: NDArray[np.int64] = np.zeros(self.columns, np.int64)
        self._diagonal[held_rows] = values[starts[held_rows]]
        lengths = _lengths(starts, indices)
        many = _is_full(lengths)
        #: The place of each row among the full rows, -1 for none.
        self._slots: NDArray[np.int32] = np.where(many, np.cumsum(many) - 1, -1).astype(np.int32)
        self._full_rows: NDArray[Any] = np.zeros((int(many.sum()), self.columns), dtype)
        self._lay_out(np.where(many, 0, lengths), np.dtype(dtype))
        for first, last in _blocks(starts):
            span = slice(int(starts[first]), int(starts[last]))
            owners = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(starts[first : last + 1]))
            beside = indices[span] != owners
            counts = np.bincount(owners[beside] - first, minlength=last - first)
            typed = (values[span][beside] / UNIT).astype(dtype)
            above: Any = scipy.sparse.csr_matrix(
                (typed, indices[span][beside], np.concatenate(([0], np.cumsum(counts)))), (last - first, self.columns)
            )
            # The entries before the diagonal of a row come from the rows above it, so they are appended first.
            below = above.tocsc()
            every = np.arange(self.columns, dtype=np.int32)
            self._append(every, np.diff(below.indptr), below.indices + np.int32(first), below.data)
            self._append(every[first:last], counts, above.indices, above.data)

    def _lay_out(self, lengths: NDArray[np.int64], dtype: np.dtype[Any]) -> None:
        """Make room for rows of these lengths, int64 [columns], without entries."""
        room = _capacity(lengths)
        self._limits: NDArray[np.int64] = np.cumsum(room)
        self._starts: NDArray[np.int64] = self._limits - room
        self._ends: NDArray[np.int64] = self._starts.copy()
        #: The first place behind all rows.
        self._end = int(room.sum())
        size = _capacity(self._end)
        self._indices: NDArray[np.int32] = np.zeros(size, np.int32)
        self._values: NDArray[Any] = np.zeros(size, dtype)
        #: The most zeros that each row can have.
        self._zeros: NDArray[np.int64] = np.zeros(len(lengths), np.int64)

    # -- reading -------------------------------------------------------------------------------------------------

    def times(self, items: NDArray[np.int32], weights: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of the rows of `items`, int32 [k], each times its weight, floats [k]: floats [columns]."""
        total: NDArray[Any] = np.zeros(self.columns, self._values.dtype)
        slots, typed = self._slots[items], weights.astype(total.dtype)
        full = slots >= 0
        add_rows(total, typed[full], self._full_rows, slots[full])
        firsts, lasts, typed = self._starts[items[~full]], self._ends[items[~full]], typed[~full]
        # From the last place to the first: between two rows the bounds decrease, which is a column without entries.
        order = np.argsort(-firsts)
        for base in range(0, len(self._indices), _REACH_ENTRIES):
            near = order[(firsts[order] >= base) & (firsts[order] < base + _REACH_ENTRIES)]
            if len(near):
                bounds = np.empty(2 * len(near), np.int32)
                bounds[::2], bounds[1::2] = firsts[near] - base, lasts[near] - base
                spread = np.zeros(len(bounds) - 1, total.dtype)
                spread[::2] = typed[near]
                rows: Any = scipy.sparse.csc_matrix((self.columns, len(spread)), dtype=total.dtype)
                rows.indptr, rows.indices, rows.data = bounds, self._indices[base:], self._values[base:]
                total += rows @ spread
        return total

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return the rows of `items`, int32 [k], floats [k, columns] in the dtype of the copy."""
        whole: NDArray[Any] = np.zeros((len(items), self.columns), self._values.dtype)
        for place, (item, slot) in enumerate(zip(items.tolist(), self._slots[items].tolist(), strict=True)):
            indices, values = (slice(None), self._full_rows[slot]) if slot >= 0 else self._row(item)
            whole[place, indices] = values
        return whole

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t]: floats [k, t] in the dtype of the copy."""
        places, found = self._found(items, targets)
        block: NDArray[Any] = np.where(found, self._values.take(places, mode="clip"), self._values.dtype.type(0))
        full = np.flatnonzero(self._slots[items] >= 0)
        block[full] = self._full_rows[self._slots[items[full], None], targets]
        return block

    def pairs(
        self, items: NDArray[np.int32], content: object
    ) -> tuple[NDArray[np.int64], NDArray[np.intp], Places] | None:
        """Return the entries of pairs of `items`, int32 [k] ascending, in steps, int64 [k, k].

        Also returns the rows, intp [r], that may have been rounded from the diagonal on and must be read from the sum,
        and the places of the pairs for `follow`. None when this copy is not equal to `content`. Its reader may change
        it during the call, so the token is compared before and after.
        """
        if self.content is not content:
            return None
        slots = self._slots[items]
        full = slots >= 0
        values = np.empty((len(items), len(items)), self._values.dtype)
        values[full] = self._full_rows[slots[full, None], items]
        places, found = where = self._found(items[~full], items)
        values[~full] = self._values.take(places, mode="clip") * found
        pairs = (values * np.float64(UNIT)).astype(np.int64)
        np.fill_diagonal(pairs, self._diagonal[items])
        rounded = np.flatnonzero(np.triu(values >= self._exact_below).any(axis=1))
        return (pairs, rounded, where) if self.content is content else None

    def _row(self, item: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """Return the columns and values of a row without its zeros, as new arrays: int32 [k] and floats [k]."""
        span = slice(int(self._starts[item]), int(self._ends[item]))
        kept = np.flatnonzero(self._values[span])
        return self._indices[span][kept], self._values[span][kept]

    def _found(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> Places:
        """Return the places of `targets`, int32 [t], in the rows of `items`, int32 [k], and which of them exist."""
        places = np.empty((len(items), len(targets)), np.int64)
        firsts, lasts, indices = self._starts[items], self._ends[items], self._indices
        for place, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
            places[place] = indices[first:last].searchsorted(targets)
        places += firsts[:, None]
        found = indices.take(places, mode="clip") == targets
        found &= places < lasts[:, None]
        return places, found

    # -- updating ------------------------------------------------------------------------------------------------

    def follow(self, items: NDArray[np.int32], pairs: NDArray[np.int64], where: Places | None = None) -> None:
        """Take over the `pairs` of `items`, int32 [k] ascending, from the sum: int64 [k, k], zero below the diagonal.

        `where`: the places that the method `pairs` returned for them, if nothing has changed since.
        """
        self._diagonal[items] = pairs.diagonal()
        exact = ((pairs + pairs.T) / UNIT).astype(self._values.dtype)
        np.fill_diagonal(exact, 0.0)
        slots = self._slots[items]
        full = slots >= 0
        self._full_rows[slots[full, None], items] = exact[full]
        owners = items[~full]
        self._follow_entries(owners, items, exact[~full], self._found(owners, items) if where is None else where)

    def _follow_entries(
        self, owners: NDArray[np.int32], items: NDArray[np.int32], exact: NDArray[Any], where: Places
    ) -> None:
        """Set the entries at `owners` x `items` of rows that are not full, at the places `where`, to `exact`."""
        places, found = where
        at, fresh = places[found], exact[found]
        gone = np.flatnonzero((fresh == 0) & (self._values[at] != 0))
        self._values[at] = fresh
        if len(gone):
            self._rename_zeros(owners, np.nonzero(found)[0][gone], at[gone])
        missing = ~found & (exact != 0)
        for place in np.flatnonzero(missing.any(axis=1)).tolist():
            more, (indices, values) = missing[place], self._row(int(owners[place]))
            union = np.concatenate((indices, items[more]))
            order = union.argsort(kind="stable")
            self._put(int(owners[place]), union[order], np.concatenate((values, exact[place, more]))[order])

    def _rename_zeros(self, items: NDArray[np.int32], owners: NDArray[np.intp], places: NDArray[np.int64]) -> None:
        """Overwrite the columns of entries that became zero, at `places`, ascending in the rows `items[owners]`."""
        firsts, lasts = self._starts[items][owners], self._ends[items][owners]
        # Zeros side by side all get the column of the entry before the first of them.
        begins = places == firsts
        names = self._indices[places - 1]
        names[begins] = 0
        begins[0] = True
        begins[1:] |= places[1:] != places[:-1] + 1
        names = names[begins][np.cumsum(begins) - 1]
        self._indices[places] = names
        while len(places):
            # Zeros behind them had the column that was overwritten.
            places = places + 1
            on = np.flatnonzero(places < lasts)
            on = on[(self._values[places[on]] == 0) & (self._indices[places[on]] != names[on])]
            places, lasts, names = places[on], lasts[on], names[on]
            self._indices[places] = names
        self._zeros[items] += np.bincount(owners, minlength=len(items))
        full = self._zeros[items] * _ZERO_SHARE > self._ends[items] - self._starts[items]
        for item in items[full].tolist():
            self._put(item, *self._row(item))

    # -- writing -------------------------------------------------------------------------------------------------

    def _append(
        self, rows: NDArray[np.int32], counts: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[Any]
    ) -> None:
        """Append entries, ordered by row, to `rows`: `counts` of them to each."""
        slots = np.repeat(self._slots[rows], counts)
        full, rest = np.flatnonzero(slots >= 0), np.flatnonzero(slots < 0)
        self._full_rows[slots[full], indices[full]] = values[full]
        counts = np.where(self._slots[rows] < 0, counts, 0)
        places = np.repeat(self._ends[rows] - np.cumsum(counts) + counts, counts) + np.arange(len(rest))
        self._indices[places], self._values[places] = indices[rest], values[rest]
        self._ends[rows] += counts

    def _put(self, item: int, indices: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Write a row anew, at another place if it has become too long, and clear its old place."""
        span = slice(int(self._starts[item]), int(self._ends[item]))
        self._indices[span], self._values[span] = 0, 0.0
        first, last = span.start, span.start + len(indices)
        if last > self._limits[item]:
            room = _capacity(len(indices))
            self._ends[item] = first
            if self._end + room > len(self._indices):
                self._spread(room)
            first, last = self._end, self._end + len(indices)
            self._end += room
            self._starts[item], self._limits[item] = first, self._end
        self._ends[item], self._zeros[item] = last, 0
        self._indices[first:last], self._values[first:last] = indices, values

    def _spread(self, room: int) -> None:
        """Move all rows together, and leave `room` free places behind them."""
        old, indices, values = self._starts, self._indices, self._values
        lengths, zeros = self._ends - old, self._zeros
        self._lay_out(lengths, values.dtype)
        if self._end + room > len(self._indices):
            self._indices, self._values = np.zeros(self._end + room, np.int32), np.zeros(self._end + room, values.dtype)
        self._ends, self._zeros = self._starts + lengths, zeros
        bounds = zip(old.tolist(), self._starts.tolist(), lengths.tolist(), strict=True)
        for before, after, length in bounds:
            self._indices[after : after + length] = indices[before : before + length]
            self._values[after : after + length] = values[before : before + length]


def float_copy_bytes(starts: NDArray[np.int64], indices: NDArray[np.int32], dtype: Any) -> int:
    """Return the bytes of a float copy of an upper triangle, CSR: `starts` int64 [n + 1], `indices` int32 [entries]."""
    lengths, item = _lengths(starts, indices), int(np.dtype(dtype).itemsize)
    many = _is_full(lengths)
    rows, entries = int(many.sum()), int(_capacity(np.where(many, 0, lengths)).sum())
    return rows * len(lengths) * item + _capacity(entries) * (np.dtype(np.int32).itemsize + item)


def _is_full(lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are kept in full, bool [n], given their `lengths`, int64 [n]."""
    return lengths * _FULL_SHARE > len(lengths)


def _capacity(entries: Entries) -> Entries:
    """Return the number of places that are reserved for `entries` entries."""
    return entries + entries // _ROOM_SHARE + _ROOM_ENTRIES


def _blocks(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut rows into runs that have a bounded number of entries, or are one row."""
    first = 0
    while first < len(starts) - 1:
        reach = int(starts.searchsorted(starts[first] + _BLOCK_ENTRIES, "right")) - 1
        last = min(max(reach, first + 1), len(starts) - 1)
        yield first, last
        first = last


def _lengths(starts: NDArray[np.int64], indices: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the number of entries beside the diagonal of each whole row, int64 [n], given the upper triangle."""
    lengths = np.diff(starts)
    # The first entry of a row that has any is on the diagonal, and is counted on both sides.
    lengths -= 2 * (lengths > 0)
    for first in range(0, len(indices), _BLOCK_ENTRIES):
        lengths += np.bincount(indices[first : first + _BLOCK_ENTRIES], minlength=len(lengths))
    return lengths
