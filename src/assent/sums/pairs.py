"""The sum itself: whole numbers over pairs of items, in which a person can be added and taken out without a trace."""

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
from assent.sums.image import Image, image_bytes
from assent.sums.rows import Row, added, looked_up, pack, unpack
from assent.sums.standing import Known, Standing
from assent.sums.table import RowTable
from assent.terms.errors import Corrupt, InvalidInput, NotLearned, SumOverflow

_DIGEST_HEAD: Final = b"assent pair sum 1\n"
#: How many entries are written to a dense matrix at once.
_FILL_ENTRIES: Final = 4_000_000


class PairSum:
    """A symmetric matrix of whole numbers (units of 2^-20), kept as the sparse rows of its upper triangle.

    `counts` int64 [columns] says how many people hold each item, `people` how many are in the sum. Rows are never
    changed in place: a change puts a new row beside the shared ones, so `copy` costs next to nothing. The last few
    people who came or left are kept aside until somebody asks for rows: until then they cost what they hold instead of
    the whole rows of it. Two sums over the same people are equal to the last bit, whatever the order, the shards or
    the detours by which they came about.
    """

    def __init__(self, columns: int) -> None:
        """Make the empty sum over `columns` items; raises `InvalidInput` for a number of columns out of range."""
        if not 0 <= columns <= COLUMNS_MAX:
            message = f"A sum has 0 to {COLUMNS_MAX} columns."
            raise InvalidInput(message)
        self.columns = columns
        self.people = 0
        self.counts: NDArray[np.int64] = np.zeros(columns, np.int64)
        self._standing = Standing(RowTable.empty(columns))
        #: An image in the hands of whoever asked for it: most pairs are found there sooner.
        self._image: weakref.ref[Image] | None = None

    @classmethod
    def from_matrix(cls, matrix: Any, weights: NDArray[np.int64]) -> Self:
        """Sum up everybody at once: `matrix` CSR int64 [people, columns] without zeros or duplicates, `weights` int64.

        People without any item add nothing and are not counted. Raises `SumOverflow`.
        """
        made = cls(int(matrix.shape[1]))
        made._standing = Standing(RowTable(*upper_pairs(matrix, weights)))
        made.counts = np.bincount(matrix.indices, minlength=made.columns).astype(np.int64)
        made.people = int((np.diff(matrix.indptr) > 0).sum())
        return made

    @classmethod
    def of(cls, contributions: Iterable[Contribution], columns: int) -> Self:
        """Sum up contributions over `columns` items; raises `InvalidInput` for an item out of range, `SumOverflow`."""
        held = [one for one in contributions if len(one.items)]
        starts = np.concatenate(([0], np.cumsum([len(one.items) for one in held], dtype=np.int64)))
        items = np.concatenate([np.empty(0, np.int32), *(one.items for one in held)])
        values = np.concatenate([np.empty(0, np.int64), *(one.values for one in held)])
        if len(items) and int(items.max()) >= columns:
            raise _past_the_last_column()
        matrix = scipy.sparse.csr_matrix((values, items, starts), shape=(len(held), columns), dtype=np.int64)
        return cls.from_matrix(matrix, np.array([one.weight for one in held], np.int64))

    @classmethod
    def from_arrays(
        cls,
        arrays: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]],
        counts: NDArray[np.int64],
        people: int,
    ) -> Self:
        """Take over what `arrays` gives (it may be read-only maps of a file), and `counts`, int64 [columns].

        Raises `Corrupt` when they are not the upper triangle of a sum that fits `counts`.
        """
        made = cls(len(counts))
        table = RowTable(*arrays)
        table.refuse_nonsense(counts)
        made._standing = Standing(table)
        made._put_counts(counts, people)
        return made

    @classmethod
    def from_row_bytes(cls, columns: int, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int) -> Self:
        """Put a sum together from its stored rows and `counts`, int64 [columns]. Raises `Corrupt`."""
        made = cls(columns)
        made.replace_rows(rows, counts, people)
        made.arrays()
        return made

    @property
    def rows(self) -> int:
        """How many rows the sum is stored in: one for each item."""
        return self.columns

    # -- reading -------------------------------------------------------------------------------------------------

    def row(self, item: int) -> Row:
        """Return row `item` of the upper triangle; do not write to its arrays."""
        return self._settled().row(item)

    def settle(self) -> None:
        """Write whoever came or left last into the rows, so that what they held stands nowhere by itself.

        Changes nothing that the sum says, costs nothing when there is nobody to write, and up to some milliseconds
        otherwise. Other threads may read and copy the sum meanwhile, but not change it; what was copied before is
        settled by itself.
        """
        self._settled()

    def _settled(self) -> Standing:
        self._standing = standing = self._standing.settled()
        return standing

    def column(self, item: int) -> NDArray[np.int64]:
        """Return the whole symmetric row `item`, int64 [columns]; scans the rows above."""
        whole = np.zeros(self.columns, np.int64)
        standing = self._settled()
        starts, indices, values = standing.table.starts, standing.table.indices, standing.table.values
        above = np.flatnonzero(indices[: starts[item]] == item)
        whole[np.searchsorted(starts, above, "right") - 1] = values[above]
        for changed in standing.changed.keys() & range(item):
            whole[changed] = looked_up(standing.row(changed), np.array([item], np.int32))[1][0]
        row = standing.row(item)
        whole[row.indices] = row.values
        return whole

    def pairs(self, items: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the entries of pairs of `items`, ascending, int64 [k, k], zero below the diagonal.

        Of whoever came or left last they are known already.
        """
        return np.triu(self._standing.pairs(items))

    def image_bytes(self, dtype: Any) -> int:
        """Return how many bytes an `image` of this sum takes."""
        starts, indices, _ = self.arrays()
        return image_bytes(starts, indices, dtype)

    def image(self, dtype: Any) -> Image:
        """Return an image of the sum in float32 or float64, made anew: the caller's own, which follows by `show`."""
        image = Image(*self.arrays(), dtype)
        self.show(image, ())
        return image

    def show(self, image: Image, changed: Iterable[NDArray[np.int32]]) -> None:
        """Have an image of another sum show this one, which differs in pairs of `changed`, int32 [k] each, only."""
        standing, known = self._standing, self._standing.known
        own = None if self._image is None else self._image()
        fits = own is image and known is not None and known.before is image.says
        image.says = None
        for items in changed:
            where = known.where if fits and known is not None and known.items is items else None
            image.follow(items, self.pairs(items), where)
        image.says = standing.says
        self._image = weakref.ref(image)

    def fill(self, out: NDArray[Any]) -> None:
        """Write the upper triangle, in units (2^20 steps), to `out`, float32 or float64 [columns, columns].

        What stands below the diagonal of `out` becomes zero. Extra memory: one block of entries.
        """
        standing = self._settled()
        starts, indices, values = standing.table.starts, standing.table.indices, standing.table.values
        first = 0
        while first < self.columns:
            reach = int(np.searchsorted(starts, starts[first] + _FILL_ENTRIES, "right")) - 1
            last = min(max(reach, first + 1), self.columns)
            held = slice(int(starts[first]), int(starts[last]))
            typed = values[held].astype(out.dtype)
            # Dividing by a power of two is exact in every type.
            typed /= UNIT
            block: Any = scipy.sparse.csr_matrix(
                (typed, indices[held], starts[first : last + 1] - starts[first]), (last - first, self.columns)
            )
            out[first:last] = 0
            block.toarray(out=out[first:last])
            first = last
        for item, changed in standing.changed.items():
            out[item] = 0
            out[item, changed.row.indices] = changed.row.values / UNIT

    def diagonal(self) -> NDArray[np.int64]:
        """Return the diagonal, int64 [columns]: the first entry of every row that is not empty."""
        whole = np.zeros(self.columns, np.int64)
        standing = self._settled()
        held = np.flatnonzero(np.diff(standing.table.starts))
        whole[held] = standing.table.values[standing.table.starts[held]]
        for item, changed in standing.changed.items():
            whole[item] = changed.row.values[0] if len(changed.row.values) else 0
        return whole

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Return the upper triangle as CSR arrays: starts int64 [columns + 1], indices int32, values int64.

        Do not write to them.
        """
        self._standing = flat = self._standing.flat()
        return flat.table.starts, flat.table.indices, flat.table.values

    def row_bytes(self, item: int) -> bytes:
        """Return the one stored form of row `item`; equal rows give equal bytes."""
        return pack(self.row(item))

    def digest(self) -> str:
        """Return the SHA-256, in hex, of everything the sum says: columns, people, counts and the digest of every row.

        Two sums over the same people and the same number of columns have the same digest, whatever happened in
        between. Empty columns count: a catalogue that grew is another sum. Only rows that changed are hashed again.
        """
        whole = hashlib.sha256(_DIGEST_HEAD)
        whole.update(np.array([UNIT, self.columns, self.people], "<i8").tobytes())
        whole.update(self.counts.astype("<i8").tobytes())
        whole.update(self._settled().digests().tobytes())
        return whole.hexdigest()

    # -- changing ------------------------------------------------------------------------------------------------

    def add(self, contribution: Contribution) -> None:
        """Add one person. Raises `InvalidInput` past the last column, or `SumOverflow`; then nothing changed."""
        items = contribution.items
        if not len(items):
            return
        if int(items[-1]) >= self.columns:
            raise _past_the_last_column()
        known = self._pairs_after(contribution, 1)
        after = known.pairs
        # No entry passes the larger of its two diagonal entries (Cauchy-Schwarz): checking the diagonal is enough.
        if int(after.diagonal().max()) > ENTRY_MAX:
            raise _past_the_range()
        self._standing = self._standing.joined(contribution, 1, known)
        self.counts[items] += 1
        self.people += 1

    def remove(self, contribution: Contribution) -> None:
        """Take one person out again. Raises `NotLearned` when the sum cannot hold them; then nothing changed."""
        items = contribution.items
        if not len(items):
            return
        if int(items[-1]) >= self.columns or self.people < 1 or int(self.counts[items].min()) < 1:
            raise _not_in_the_sum()
        known = self._pairs_after(contribution, -1)
        after = known.pairs
        # Whoever is the last with an item takes its whole row along; before that its diagonal entry stays.
        last = self.counts[items] == 1
        if int(after.min()) < 0 or not np.array_equal(after.diagonal() == 0, last):
            raise _not_in_the_sum()
        if last.any() and not self._nothing_stays(items, np.flatnonzero(last), after):
            raise _not_in_the_sum()
        if self.people == 1 and int(self.counts.sum()) != len(items):
            raise _not_in_the_sum()
        self._standing = self._standing.joined(contribution, -1, known)
        self.counts[items] -= 1
        self.people -= 1

    def _pairs_after(self, contribution: Contribution, sign: int) -> Known:
        """Return a person's pairs after they came or left; below zero is what was taken without being there."""
        items, values, standing = contribution.items, contribution.values.astype(np.int64), self._standing
        image = None if self._image is None else self._image()
        told = None if image is None else image.pairs(items, standing.says)
        if told is None:
            pairs, where = standing.pairs(items), None
        else:
            pairs, unsure, where = told
            pairs[unsure] = standing.pairs(items, unsure)
        after = np.triu(pairs + (sign * contribution.weight * values)[:, None] * values)
        return Known(items, after, where, standing.says)

    def _nothing_stays(self, items: NDArray[np.int32], places: NDArray[np.intp], after: NDArray[np.int64]) -> bool:
        """Tell whether rows and columns are empty after the change, for the `places` whose last person goes."""
        self._standing, reached = self._standing.counted()
        held = np.array([len(self._standing.row(item).indices) for item in items[places].tolist()])
        # All of a row is the person's, and exactly their rows up to there reach the column.
        theirs = np.array_equal(held, len(items) - places) and np.array_equal(reached[items[places]], places + 1)
        return theirs and not after[places].any() and not after[:, places].any()

    def grow(self, columns: int) -> None:
        """Append empty columns until there are `columns`; raises `InvalidInput` for fewer than there are."""
        if np.ndim(columns) or np.asarray(columns).dtype.kind not in "iu" or not self.columns <= columns <= COLUMNS_MAX:
            message = f"A sum of {self.columns} columns cannot become one of {columns}."
            raise InvalidInput(message, advice="Give a whole number: columns are only ever added.")
        if columns == self.columns:
            return
        self.counts = np.concatenate((self.counts, np.zeros(columns - self.columns, np.int64)))
        self._standing = self._standing.grown(columns)
        self.columns = columns

    def merge(self, other: PairSum) -> None:
        """Add another sum over the same columns: two shards become one.

        Raises `InvalidInput` for a different number of columns, `SumOverflow`; then nothing changed.
        """
        if other.columns != self.columns:
            message = "Sums over different numbers of columns cannot be merged."
            raise InvalidInput(message, advice="Grow the smaller one first.")
        if int((self.diagonal() + other.diagonal()).max(initial=0)) > ENTRY_MAX:
            raise _past_the_range()
        rows = {item: added(self.row(item), *other.row(item)) for item in np.flatnonzero(other.counts).tolist()}
        self._standing = self._settled().with_rows(rows)
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
        """Take over rows in their stored form, with the counts, int64 [columns], and the people that belong to them.

        Raises `Corrupt` when a row cannot be read or does not fit the counts; then nothing changed.
        """
        before = self._settled()
        if any(not 0 <= item < self.columns for item in rows):
            raise _not_together()
        try:
            self._standing = before.with_rows(
                {item: unpack(item, stored, self.columns) for item, stored in rows.items()}
            )
            self._put_counts(counts, people)
        except Corrupt:
            self._standing = before
            raise


def _not_in_the_sum() -> NotLearned:
    message = "This contribution is not part of the sum."
    return NotLearned(message)


def _past_the_range() -> SumOverflow:
    message = "An entry of the sum would pass 2^61."
    return SumOverflow(message)


def _past_the_last_column() -> InvalidInput:
    message = "A contribution names an item past the last column."
    return InvalidInput(message, advice="Grow the sum first.")


def _not_together() -> Corrupt:
    message = "The rows and the counts of the stored sum do not belong together."
    return Corrupt(message)
