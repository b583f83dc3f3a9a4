"""A whole symmetric sum in floating point, for whoever reads rows of it all the time: kept up in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import UNIT
from assent.sums.products import add_rows

#: So many entries are turned over at once.
_BLOCK_ENTRIES: Final = 1 << 20
#: Room for entries to come: behind each row one in so many of its own and a few, and behind all rows likewise.
_ROOM_SHARE: Final = 16
_ROOM_ENTRIES: Final = 8
#: A row is written anew once more than one in so many of its entries are nothing any more.
_NOTHING_SHARE: Final = 8
#: A row with more than one entry in so many columns is kept in full: it is added, and changed, without a search.
_FULL_SHARE: Final = 6
#: Only places so near to each other are told together: SciPy wants them in the type of the columns, int32.
_REACH_ENTRIES: Final = 1 << 30

#: Where entries stand or would stand in rows, int64 [k, t], and which of them do.
Places = tuple[NDArray[np.int64], NDArray[np.bool_]]
Entries = TypeVar("Entries", int, NDArray[np.int64])


class Image:
    """The entries of a `PairSum` beside its diagonal, in units (2^20 steps), rounded to float32 or float64.

    Rows of many entries are rows of `full`. Another row `i` is `indices[starts[i] : ends[i]]`, ascending, with its
    `values`; there is room up to `limits[i]`. Other than the rows of a sum they are changed in place, so an image
    belongs to one reader. What became nothing stays as a zero for a while, but under the name of the entry before it:
    nobody sees which pair it was.
    """

    def __init__(
        self, starts: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[np.int64], dtype: Any
    ) -> None:
        """Turn over an upper triangle given as CSR arrays; beside the result, a block of entries is held."""
        self.columns = len(starts) - 1
        #: What the `Standing` says that it shows, `None` while it changes.
        self.says: object = None
        #: Entries below it have not been rounded.
        self._sure = 2.0 ** (np.finfo(dtype).nmant + 1) / UNIT
        held_rows = np.flatnonzero(np.diff(starts))
        self._diagonal: NDArray[np.int64] = np.zeros(self.columns, np.int64)
        self._diagonal[held_rows] = values[starts[held_rows]]
        lengths = _lengths(starts, indices)
        many = _many(lengths)
        #: Which of the full rows a row is, -1 for none.
        self._slots: NDArray[np.int32] = np.where(many, np.cumsum(many) - 1, -1).astype(np.int32)
        self._full: NDArray[Any] = np.zeros((int(many.sum()), self.columns), dtype)
        self._lay_out(np.where(many, 0, lengths), np.dtype(dtype))
        for first, last in _blocks(starts):
            held = slice(int(starts[first]), int(starts[last]))
            owners = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(starts[first : last + 1]))
            beside = indices[held] != owners
            counts = np.bincount(owners[beside] - first, minlength=last - first)
            typed = (values[held][beside] / UNIT).astype(dtype)
            above: Any = scipy.sparse.csr_matrix(
                (typed, indices[held][beside], np.concatenate(([0], np.cumsum(counts)))), (last - first, self.columns)
            )
            # What stands before the diagonal of a row comes from the rows above it, so it is all there first.
            below = above.tocsc()
            every = np.arange(self.columns, dtype=np.int32)
            self._append(every, np.diff(below.indptr), below.indices + np.int32(first), below.data)
            self._append(every[first:last], counts, above.indices, above.data)

    def _lay_out(self, lengths: NDArray[np.int64], dtype: np.dtype[Any]) -> None:
        """Make room for rows of these lengths, int64 [columns], and hold none."""
        room = _room(lengths)
        self._limits: NDArray[np.int64] = np.cumsum(room)
        self._starts: NDArray[np.int64] = self._limits - room
        self._ends: NDArray[np.int64] = self._starts.copy()
        #: Where nobody has written yet.
        self._end = int(room.sum())
        size = _room(self._end)
        self._indices: NDArray[np.int32] = np.zeros(size, np.int32)
        self._values: NDArray[Any] = np.zeros(size, dtype)
        #: How many zeros each row has at most.
        self._nothing: NDArray[np.int64] = np.zeros(len(lengths), np.int64)

    # -- reading -------------------------------------------------------------------------------------------------

    def times(self, items: NDArray[np.int32], weights: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of the rows of `items`, int32 [k], each times its weight, floats [k]: floats [columns]."""
        total: NDArray[Any] = np.zeros(self.columns, self._values.dtype)
        slots, typed = self._slots[items], weights.astype(total.dtype)
        full = slots >= 0
        add_rows(total, typed[full], self._full, slots[full])
        firsts, lasts, typed = self._starts[items[~full]], self._ends[items[~full]], typed[~full]
        # From the last place to the first: between two rows the bounds go back, which is a column without entries.
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
        """Return the rows of `items`, int32 [k]: [k, columns] in the dtype of the image."""
        whole: NDArray[Any] = np.zeros((len(items), self.columns), self._values.dtype)
        for place, (item, slot) in enumerate(zip(items.tolist(), self._slots[items].tolist(), strict=True)):
            indices, values = (slice(None), self._full[slot]) if slot >= 0 else self._row(item)
            whole[place, indices] = values
        return whole

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t]: [k, t] in the dtype of the image."""
        places, found = self._found(items, targets)
        block: NDArray[Any] = np.where(found, self._values.take(places, mode="clip"), self._values.dtype.type(0))
        full = np.flatnonzero(self._slots[items] >= 0)
        block[full] = self._full[self._slots[items[full], None], targets]
        return block

    def pairs(
        self, items: NDArray[np.int32], says: object
    ) -> tuple[NDArray[np.int64], NDArray[np.intp], Places] | None:
        """Return the entries of pairs of `items`, ascending, in steps, int64 [k, k], and which of its rows to ask for.

        What these hold from the diagonal on may have been rounded. The third is what `follow` would have to search for.
        `None` when the image shows anything else than what `says`: it may change meanwhile in the hands of its reader,
        so only what is the same before and after is told.
        """
        if self.says is not says:
            return None
        slots = self._slots[items]
        full = slots >= 0
        values = np.empty((len(items), len(items)), self._values.dtype)
        values[full] = self._full[slots[full, None], items]
        places, found = where = self._found(items[~full], items)
        values[~full] = self._values.take(places, mode="clip") * found
        pairs = (values * np.float64(UNIT)).astype(np.int64)
        np.fill_diagonal(pairs, self._diagonal[items])
        unsure = np.flatnonzero(np.triu(values >= self._sure).any(axis=1))
        return (pairs, unsure, where) if self.says is says else None

    def _row(self, item: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """Return the columns and values of a row that are something, as new arrays."""
        held = slice(int(self._starts[item]), int(self._ends[item]))
        kept = np.flatnonzero(self._values[held])
        return self._indices[held][kept], self._values[held][kept]

    def _found(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> Places:
        """Return where `targets` stand in the rows of `items`, and whether they do, both [k, t]."""
        places = np.empty((len(items), len(targets)), np.int64)
        firsts, lasts, indices = self._starts[items], self._ends[items], self._indices
        for place, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
            places[place] = indices[first:last].searchsorted(targets)
        places += firsts[:, None]
        found = indices.take(places, mode="clip") == targets
        found &= places < lasts[:, None]
        return places, found

    # -- following -----------------------------------------------------------------------------------------------

    def follow(self, items: NDArray[np.int32], pairs: NDArray[np.int64], where: Places | None = None) -> None:
        """Take over the pairs of `items`, ascending, from the sum: int64 [k, k], zero below the diagonal.

        `where` is what `pairs` said of them, if nothing has changed since.
        """
        self._diagonal[items] = pairs.diagonal()
        exact = ((pairs + pairs.T) / UNIT).astype(self._values.dtype)
        np.fill_diagonal(exact, 0.0)
        slots = self._slots[items]
        full = slots >= 0
        self._full[slots[full, None], items] = exact[full]
        owners = items[~full]
        self._follow_entries(owners, items, exact[~full], self._found(owners, items) if where is None else where)

    def _follow_entries(
        self, owners: NDArray[np.int32], items: NDArray[np.int32], exact: NDArray[Any], where: Places
    ) -> None:
        """Set the entries at `owners` x `items` of rows that are not full, as `where` found them, to `exact`."""
        places, found = where
        at, fresh = places[found], exact[found]
        gone = np.flatnonzero((fresh == 0) & (self._values[at] != 0))
        self._values[at] = fresh
        if len(gone):
            self._unname(owners, np.nonzero(found)[0][gone], at[gone])
        missing = ~found & (exact != 0)
        for place in np.flatnonzero(missing.any(axis=1)).tolist():
            more, (indices, values) = missing[place], self._row(int(owners[place]))
            union = np.concatenate((indices, items[more]))
            order = union.argsort(kind="stable")
            self._put(int(owners[place]), union[order], np.concatenate((values, exact[place, more]))[order])

    def _unname(self, items: NDArray[np.int32], owners: NDArray[np.intp], places: NDArray[np.int64]) -> None:
        """Put the entries at `places`, ascending in the rows `items[owners]`, that became nothing under other names."""
        firsts, lasts = self._starts[items][owners], self._ends[items][owners]
        # Those side by side are all called after what stands before the first of them.
        begins = places == firsts
        names = self._indices[places - 1]
        names[begins] = 0
        begins[0] = True
        begins[1:] |= places[1:] != places[:-1] + 1
        names = names[begins][np.cumsum(begins) - 1]
        self._indices[places] = names
        while len(places):
            # Zeros behind bore the name that is gone.
            places = places + 1
            on = np.flatnonzero(places < lasts)
            on = on[(self._values[places[on]] == 0) & (self._indices[places[on]] != names[on])]
            places, lasts, names = places[on], lasts[on], names[on]
            self._indices[places] = names
        self._nothing[items] += np.bincount(owners, minlength=len(items))
        full = self._nothing[items] * _NOTHING_SHARE > self._ends[items] - self._starts[items]
        for item in items[full].tolist():
            self._put(item, *self._row(item))

    # -- writing -------------------------------------------------------------------------------------------------

    def _append(
        self, rows: NDArray[np.int32], counts: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[Any]
    ) -> None:
        """Append entries to rows, so many to each."""
        slots = np.repeat(self._slots[rows], counts)
        full, rest = np.flatnonzero(slots >= 0), np.flatnonzero(slots < 0)
        self._full[slots[full], indices[full]] = values[full]
        counts = np.where(self._slots[rows] < 0, counts, 0)
        places = np.repeat(self._ends[rows] - np.cumsum(counts) + counts, counts) + np.arange(len(rest))
        self._indices[places], self._values[places] = indices[rest], values[rest]
        self._ends[rows] += counts

    def _put(self, item: int, indices: NDArray[np.int32], values: NDArray[Any]) -> None:
        """Write a row anew, elsewhere if it has outgrown its place; where it was, nothing of it stays."""
        held = slice(int(self._starts[item]), int(self._ends[item]))
        self._indices[held], self._values[held] = 0, 0.0
        first, last = held.start, held.start + len(indices)
        if last > self._limits[item]:
            room = _room(len(indices))
            self._ends[item] = first
            if self._end + room > len(self._indices):
                self._spread(room)
            first, last = self._end, self._end + len(indices)
            self._end += room
            self._starts[item], self._limits[item] = first, self._end
        self._ends[item], self._nothing[item] = last, 0
        self._indices[first:last], self._values[first:last] = indices, values

    def _spread(self, room: int) -> None:
        """Write all rows anew, side by side, with `room` behind them."""
        old, indices, values = self._starts, self._indices, self._values
        lengths, nothing = self._ends - old, self._nothing
        self._lay_out(lengths, values.dtype)
        if self._end + room > len(self._indices):
            self._indices, self._values = np.zeros(self._end + room, np.int32), np.zeros(self._end + room, values.dtype)
        self._ends, self._nothing = self._starts + lengths, nothing
        bounds = zip(old.tolist(), self._starts.tolist(), lengths.tolist(), strict=True)
        for before, after, length in bounds:
            self._indices[after : after + length] = indices[before : before + length]
            self._values[after : after + length] = values[before : before + length]


def image_bytes(starts: NDArray[np.int64], indices: NDArray[np.int32], dtype: Any) -> int:
    """Return how many bytes the arrays of entries take in an image of an upper triangle, given as CSR arrays."""
    lengths, item = _lengths(starts, indices), int(np.dtype(dtype).itemsize)
    many = _many(lengths)
    rows, entries = int(many.sum()), int(_room(np.where(many, 0, lengths)).sum())
    return rows * len(lengths) * item + _room(entries) * (np.dtype(np.int32).itemsize + item)


def _many(lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows of so many entries are kept in full."""
    return lengths * _FULL_SHARE > len(lengths)


def _room(entries: Entries) -> Entries:
    """Return how many places are kept for so many entries."""
    return entries + entries // _ROOM_SHARE + _ROOM_ENTRIES


def _blocks(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut rows into runs that hold a bounded number of entries, or are one row."""
    first = 0
    while first < len(starts) - 1:
        reach = int(starts.searchsorted(starts[first] + _BLOCK_ENTRIES, "right")) - 1
        last = min(max(reach, first + 1), len(starts) - 1)
        yield first, last
        first = last


def _lengths(starts: NDArray[np.int64], indices: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many entries beside the diagonal each whole row has, given the upper triangle."""
    lengths = np.diff(starts)
    # The first entry of a row that has any stands on the diagonal, and is counted on both sides.
    lengths -= 2 * (lengths > 0)
    for first in range(0, len(indices), _BLOCK_ENTRIES):
        lengths += np.bincount(indices[first : first + _BLOCK_ENTRIES], minlength=len(lengths))
    return lengths
