"""The sum of contributions: whole numbers over pairs of items, from which a person can be removed exactly."""

from __future__ import annotations

import copy
import hashlib
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.build import ENTRY_MAX, upper_pairs
from assent.sums.contribution import COLUMNS_MAX, UNIT, Contribution
from assent.sums.float_copy import FloatCopy, float_copy_bytes
from assent.sums.rows import Row, added, looked_up, pack, unpack
from assent.sums.sum_rows import LastChange, SumRows
from assent.sums.table import RowTable
from assent.terms.errors import Corrupt, InvalidInput, NotLearned, SumOverflow

_DIGEST_HEAD: Final = b"assent pair sum 1\n"
#: Entries written to a dense matrix at once.
_FILL_ENTRIES: Final = 4_000_000


class PairSum:
    """A symmetric matrix of whole numbers (units of 2^-20), kept as the sparse rows of its upper triangle.

    `counts` int64 [columns] is the number of people with each item, `people` the number in the sum. Rows are never
    changed in place: a change puts a new row beside the shared ones, so `copy` costs almost nothing. The last few
    people who were added or removed are pending until rows are read: a pending person costs time by their own items,
    not by the length of the rows. Two sums over the same people are equal to the last bit, whatever the order, the
    shards or the changes in between.

    Reader and sum: a model reads the sum through a `FloatCopy`, which `float_copy` makes and `sync` updates. The sum
    keeps a weak reference to the last one, because most pairs of a changed person are found there faster than in the
    rows. Both have the content token of the rows they were made from (`SumRows.content`); pairs of a float copy are
    used only while its token is that of the rows.
    """

    def __init__(self, columns: int) -> None:
        """Make the empty sum over `columns` items; raises `InvalidInput` for a number of columns out of range."""
        if not 0 <= columns <= COLUMNS_MAX:
            raise InvalidInput(f"A sum has 0 to {COLUMNS_MAX} columns.")
        self.columns = columns
        self.people = 0
        self.counts: NDArray[np.int64] = np.zeros(columns, np.int64)
        self._current = SumRows(RowTable.empty(columns))
        #: Weak reference to the float copy that a model reads; used as a faster lookup.
        self._float_copy: weakref.ref[FloatCopy] | None = None

    @classmethod
    def from_matrix(cls, matrix: Any, weights: NDArray[np.int64]) -> Self:
        """Sum up all people at once: `matrix` CSR int64 [people, columns] without zeros or duplicates.

        `weights` int64 [people]. People without items add nothing and are not counted. Raises `SumOverflow`.
        """
        made = cls(int(matrix.shape[1]))
        made._current = SumRows(RowTable(*upper_pairs(matrix, weights)))
        made.counts = np.bincount(matrix.indices, minlength=made.columns).astype(np.int64)
        made.people = int((np.diff(matrix.indptr) > 0).sum())
        return made

    @classmethod
    def of(cls, contributions: Iterable[Contribution], columns: int) -> Self:
        """Sum up contributions over `columns` items; raises `InvalidInput` for an item out of range, `SumOverflow`."""
        filled = [one for one in contributions if len(one.items)]
        starts = np.concatenate(([0], np.cumsum([len(one.items) for one in filled], dtype=np.int64)))
        items = np.concatenate([np.empty(0, np.int32), *(one.items for one in filled)])
        values = np.concatenate([np.empty(0, np.int64), *(one.values for one in filled)])
        if len(items) and int(items.max()) >= columns:
            raise _past_the_last_column()
        matrix = scipy.sparse.csr_matrix((values, items, starts), shape=(len(filled), columns), dtype=np.int64)
        return cls.from_matrix(matrix, np.array([one.weight for one in filled], np.int64))

    @classmethod
    def from_arrays(
        cls,
        arrays: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]],
        counts: NDArray[np.int64],
        people: int,
    ) -> Self:
        """Take over CSR `arrays` as the method `arrays` returns them, and `counts`, int64 [columns].

        The arrays may be read-only maps of a file: starts int64 [columns + 1], indices int32, values int64.

        Raises `Corrupt` when they are not the upper triangle of a sum that fits `counts`.
        """
        made = cls(len(counts))
        table = RowTable(*arrays)
        table.check(counts)
        made._current = SumRows(table)
        made._put_counts(counts, people)
        return made

    @classmethod
    def from_row_bytes(cls, columns: int, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int) -> Self:
        """Read a sum from its stored rows and `counts`, int64 [columns]; raises `Corrupt`."""
        made = cls(columns)
        made.replace_rows(rows, counts, people)
        made.arrays()
        return made

    @property
    def rows(self) -> int:
        """The number of stored rows: one for each item."""
        return self.columns

    # -- reading -------------------------------------------------------------------------------------------------

    def row(self, item: int) -> Row:
        """Return row `item` of the upper triangle; do not write to its arrays."""
        return self._flushed().row(item)

    def flush(self) -> None:
        """Write the pending people into the rows, so that no list of one person's items is left in memory.

        The sum stays equal. It costs nothing without pending people, and up to some milliseconds otherwise. Other
        threads may read and copy the sum meanwhile, but not change it. Copies made before are flushed on their own.
        """
        self._flushed()

    def _flushed(self) -> SumRows:
        self._current = current = self._current.flushed()
        return current

    def column(self, item: int) -> NDArray[np.int64]:
        """Return the whole symmetric row `item`, int64 [columns]; scans the rows above."""
        whole = np.zeros(self.columns, np.int64)
        current = self._flushed()
        starts, indices, values = current.table.starts, current.table.indices, current.table.values
        above = np.flatnonzero(indices[: starts[item]] == item)
        whole[np.searchsorted(starts, above, "right") - 1] = values[above]
        for changed in current.changed.keys() & range(item):
            whole[changed] = looked_up(current.row(changed), np.array([item], np.int32))[1][0]
        row = current.row(item)
        whole[row.indices] = row.values
        return whole

    def pairs(self, items: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the entries of pairs of `items`, int32 [k] ascending, int64 [k, k], zero below the diagonal."""
        return np.triu(self._current.pairs(items))

    def float_copy_bytes(self, dtype: Any) -> int:
        """Return the bytes that a float copy of this sum takes."""
        starts, indices, _ = self.arrays()
        return float_copy_bytes(starts, indices, dtype)

    def float_copy(self, dtype: Any) -> FloatCopy:
        """Return a new float copy of the sum in float32 or float64; the caller keeps it up to date by `sync`."""
        float_copy = FloatCopy(*self.arrays(), dtype)
        self.sync(float_copy, ())
        return float_copy

    def sync(self, float_copy: FloatCopy, changed: Iterable[NDArray[np.int32]]) -> None:
        """Make a float copy of another sum equal to this one; they differ in pairs of each of `changed`, int32 [k]."""
        current, change = self._current, self._current.last_change
        own = None if self._float_copy is None else self._float_copy()
        fits = own is float_copy and change is not None and change.before is float_copy.content
        float_copy.content = None
        for items in changed:
            where = change.where if fits and change is not None and change.items is items else None
            float_copy.follow(items, self.pairs(items), where)
        float_copy.content = current.content
        self._float_copy = weakref.ref(float_copy)

    def fill(self, out: NDArray[Any]) -> None:
        """Write the upper triangle, in units (2^20 steps), to `out`, float32 or float64 [columns, columns].

        Below the diagonal `out` becomes zero. Extra memory: one block of entries.
        """
        current = self._flushed()
        starts, indices, values = current.table.starts, current.table.indices, current.table.values
        first = 0
        while first < self.columns:
            reach = int(np.searchsorted(starts, starts[first] + _FILL_ENTRIES, "right")) - 1
            last = min(max(reach, first + 1), self.columns)
            span = slice(int(starts[first]), int(starts[last]))
            typed = values[span].astype(out.dtype)
            # Dividing by a power of two is exact in every type.
            typed /= UNIT
            block: Any = scipy.sparse.csr_matrix(
                (typed, indices[span], starts[first : last + 1] - starts[first]), (last - first, self.columns)
            )
            out[first:last] = 0
            block.toarray(out=out[first:last])
            first = last
        for item, changed in current.changed.items():
            out[item] = 0
            out[item, changed.row.indices] = changed.row.values / UNIT

    def diagonal(self) -> NDArray[np.int64]:
        """Return the diagonal, int64 [columns]: the first entry of every row that is not empty."""
        whole = np.zeros(self.columns, np.int64)
        current = self._flushed()
        filled = np.flatnonzero(np.diff(current.table.starts))
        whole[filled] = current.table.values[current.table.starts[filled]]
        for item, changed in current.changed.items():
            whole[item] = changed.row.values[0] if len(changed.row.values) else 0
        return whole

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Return the upper triangle as CSR arrays, which must not be written to.

        They are starts int64 [columns + 1], indices int32 [entries] and values int64 [entries].
        """
        self._current = flat = self._current.flat()
        return flat.table.starts, flat.table.indices, flat.table.values

    def row_bytes(self, item: int) -> bytes:
        """Return the one stored form of row `item`; equal rows give equal bytes."""
        return pack(self.row(item))

    def digest(self) -> str:
        """Return the SHA-256, in hex, of the whole sum: columns, people, counts and the digest of every row.

        Two sums over the same people and the same number of columns have the same digest, whatever changed in between.
        Empty columns count: a catalog that grew is another sum. Only rows that changed are hashed again.
        """
        whole = hashlib.sha256(_DIGEST_HEAD)
        whole.update(np.array([UNIT, self.columns, self.people], "<i8").tobytes())
        whole.update(self.counts.astype("<i8").tobytes())
        whole.update(self._flushed().digests().tobytes())
        return whole.hexdigest()

    # -- changing ------------------------------------------------------------------------------------------------

    def add(self, contribution: Contribution) -> None:
        """Add one person. Raises `InvalidInput` past the last column, or `SumOverflow`; then nothing changed."""
        items = contribution.items
        if not len(items):
            return
        if int(items[-1]) >= self.columns:
            raise _past_the_last_column()
        change = self._pairs_after(contribution, 1)
        after = change.pairs
        # No entry passes the larger of its two diagonal entries (Cauchy-Schwarz): checking the diagonal is enough.
        if int(after.diagonal().max()) > ENTRY_MAX:
            raise _past_the_range()
        self._current = self._current.joined(contribution, 1, change)
        self.counts[items] += 1
        self.people += 1

    def remove(self, contribution: Contribution) -> None:
        """Take one person out again. Raises `NotLearned` when the sum cannot hold them; then nothing changed."""
        items = contribution.items
        if not len(items):
            return
        if int(items[-1]) >= self.columns or self.people < 1 or int(self.counts[items].min()) < 1:
            raise _not_in_the_sum()
        change = self._pairs_after(contribution, -1)
        after = change.pairs
        # With the last person of an item its whole row is removed; before that its diagonal entry stays above zero.
        last = self.counts[items] == 1
        if int(after.min()) < 0 or not np.array_equal(after.diagonal() == 0, last):
            raise _not_in_the_sum()
        if last.any() and not self._rows_end(items, np.flatnonzero(last), after):
            raise _not_in_the_sum()
        if self.people == 1 and int(self.counts.sum()) != len(items):
            raise _not_in_the_sum()
        self._current = self._current.joined(contribution, -1, change)
        self.counts[items] -= 1
        self.people -= 1

    def _pairs_after(self, contribution: Contribution, sign: int) -> LastChange:
        """Return a person's pairs after they are added or removed; below zero where the sum did not have them."""
        items, values, current = contribution.items, contribution.values.astype(np.int64), self._current
        float_copy = None if self._float_copy is None else self._float_copy()
        found = None if float_copy is None else float_copy.pairs(items, current.content)
        if found is None:
            pairs, where = current.pairs(items), None
        else:
            pairs, rounded, where = found
            pairs[rounded] = current.pairs(items, rounded)
        after = np.triu(pairs + (sign * contribution.weight * values)[:, None] * values)
        return LastChange(items, after, where, current.content)

    def _rows_end(self, items: NDArray[np.int32], places: NDArray[np.intp], after: NDArray[np.int64]) -> bool:
        """Tell whether the rows and columns at `places`, whose last person is removed, are empty after the change."""
        self._current, reached = self._current.counted()
        lengths = np.array([len(self._current.row(item).indices) for item in items[places].tolist()])
        # Every entry of the row is the person's, and exactly their rows up to there have an entry in the column.
        theirs = np.array_equal(lengths, len(items) - places) and np.array_equal(reached[items[places]], places + 1)
        return theirs and not after[places].any() and not after[:, places].any()

    def grow(self, columns: int) -> None:
        """Append empty columns until there are `columns`; raises `InvalidInput` for fewer than there are."""
        if np.ndim(columns) or np.asarray(columns).dtype.kind not in "iu" or not self.columns <= columns <= COLUMNS_MAX:
            raise InvalidInput(
                f"A sum of {self.columns} columns cannot become one of {columns}.",
                advice="Give a whole number: columns are only ever added.",
            )
        if columns == self.columns:
            return
        self.counts = np.concatenate((self.counts, np.zeros(columns - self.columns, np.int64)))
        self._current = self._current.grown(columns)
        self.columns = columns

    def merge(self, other: PairSum) -> None:
        """Add another sum over the same columns: two shards become one.

        Raises `InvalidInput` for a different number of columns, `SumOverflow`; then nothing changed.
        """
        if other.columns != self.columns:
            raise InvalidInput(
                "Sums over different numbers of columns cannot be merged.", advice="Grow the smaller one first."
            )
        if int((self.diagonal() + other.diagonal()).max(initial=0)) > ENTRY_MAX:
            raise _past_the_range()
        rows = {item: added(self.row(item), *other.row(item)) for item in np.flatnonzero(other.counts).tolist()}
        self._current = self._flushed().with_rows(rows)
        self.counts += other.counts
        self.people += other.people

    def copy(self) -> PairSum:
        """Return an independent sum that shares all rows (and their digests) with this one."""
        twin = copy.copy(self)
        twin.counts = self.counts.copy()
        return twin

    def _put_counts(self, counts: NDArray[np.int64], people: int) -> None:
        """Set the counts, int64 [columns], and the number of people that belong to the rows.

        Raises `Corrupt` when they do not fit the rows.
        """
        most = int(counts.max(initial=0))
        if not np.array_equal(self.diagonal() > 0, counts > 0) or people < most or (people > 0 and most == 0):
            raise _not_together()
        self.counts = np.array(counts, np.int64)
        self.people = people

    def replace_rows(self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int) -> None:
        """Replace rows by stored ones, with the counts, int64 [columns], and the number of people that belong to them.

        Raises `Corrupt` when a row cannot be read or does not fit the counts; then nothing changed.
        """
        before = self._flushed()
        if any(not 0 <= item < self.columns for item in rows):
            raise _not_together()
        try:
            self._current = before.with_rows(
                {item: unpack(item, stored, self.columns) for item, stored in rows.items()}
            )
            self._put_counts(counts, people)
        except Corrupt:
            self._current = before
            raise


def _not_in_the_sum() -> NotLearned:
    return NotLearned("This contribution is not part of the sum.")


def _past_the_range() -> SumOverflow:
    return SumOverflow("An entry of the sum would pass 2^61.")


def _past_the_last_column() -> InvalidInput:
    return InvalidInput("A contribution names an item past the last column.", advice="Grow the sum first.")


def _not_together() -> Corrupt:
    return Corrupt("The rows and the counts of the stored sum do not belong together.")
