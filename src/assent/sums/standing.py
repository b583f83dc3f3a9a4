"""The rows of a sum as they stand at one moment: never changed in place, so that copies and threads share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import Contribution
from assent.sums.image import Places
from assent.sums.late import LATE_MAX, Late
from assent.sums.rows import Row, side_by_side
from assent.sums.table import HeldRow, RowTable


class Known(NamedTuple):
    """The `items` of somebody, the `pairs` of these, and where they stood in an image of what `before` said."""

    items: NDArray[np.int32]
    pairs: NDArray[np.int64]
    where: Places | None
    before: object


@dataclass(frozen=True, slots=True)
class Standing:
    """A table of rows, rows in place of some of them, and people who are not in either yet.

    Whoever brings it up to date makes another one that says the same, and puts it in its place at once: nobody ever
    sees rows that hold some of a change, and two who do it at the same time come to the same.
    """

    table: RowTable
    changed: dict[int, HeldRow] = field(default_factory=dict)
    late: Late = field(default_factory=Late)
    #: How many rows of the upper triangle have an entry at each item; counted once it is needed, then kept up.
    reached: NDArray[np.int64] | None = None
    #: What is known of whoever came or left last, while they are late.
    known: Known | None = None
    #: The same object in all that say the same, whatever they have in which place.
    says: object = field(default_factory=object)

    def row(self, item: int) -> Row:
        """Return row `item` of the upper triangle without the people who are late."""
        changed = self.changed.get(item)
        return self.table.row(item) if changed is None else changed.row

    def rows(self, items: NDArray[np.int32]) -> list[Row]:
        """Return the rows `items`, int32 [k], of the upper triangle without the people who are late."""
        changed = self.changed
        return self.table.rows(items, {item: changed[item].row for item in items.tolist() if item in changed})

    def counted(self) -> tuple[Standing, NDArray[np.int64]]:
        """Return the same up to date, and the number of rows that reach each item, int64 [columns]."""
        settled = self.settled()
        if settled.reached is not None:
            return settled, settled.reached
        reached = np.bincount(self.table.indices, minlength=len(self.table)).astype(np.int64)
        for item, changed in settled.changed.items():
            reached[self.table.row(item).indices] -= 1
            reached[changed.row.indices] += 1
        return replace(settled, reached=reached), reached

    def joined(self, contribution: Contribution, sign: int, known: Known) -> Standing:
        """Return the rows after somebody came (`sign` 1) or left (-1), of whom so much is known then."""
        after = replace(self, late=self.late.joined(contribution, sign), known=known, says=object())
        return after if len(after.late) < LATE_MAX else after.settled()

    def settled(self) -> Standing:
        """Return the same with nobody late."""
        if not len(self.late):
            return self
        changed, reached, size = dict(self.changed), self.reached, len(self.table)
        items, late = self.late.upper(size)
        starts, indices, values = side_by_side(self.rows(items))
        before = scipy.sparse.csr_matrix((values, indices, starts), (len(items), size))
        # What has become zero is not in the result any more.
        after = before + late
        if reached is not None:
            reached = reached.copy()
            np.subtract.at(reached, before.indices, 1)
            np.add.at(reached, after.indices, 1)
        for item, (first, last) in zip(items.tolist(), pairwise(after.indptr.tolist()), strict=True):
            # Of its own each: nobody shall hold what the others said before.
            changed[item] = HeldRow(Row(after.indices[first:last].copy(), after.data[first:last].copy()))
        return Standing(self.table, changed, Late(), reached, says=self.says)

    def with_rows(self, rows: Mapping[int, Row]) -> Standing:
        """Return the rows with some replaced."""
        before = self.settled()
        return Standing(before.table, before.changed | {item: HeldRow(row) for item, row in rows.items()})

    def flat(self) -> Standing:
        """Return the same with all rows side by side in one table."""
        settled = self.settled()
        if not settled.changed:
            return settled
        digests = settled.digests() if settled.table.digested else None
        rows = [settled.row(item) for item in range(len(settled.table))]
        return replace(settled, table=RowTable.of(rows, digests), changed={})

    def digests(self) -> NDArray[np.uint8]:
        """Return the digest of every row, uint8 [n, 32]; nobody may be late."""
        digests = self.table.digests()
        if self.changed:
            digests = digests.copy()
            for item, changed in self.changed.items():
                digests[item] = np.frombuffer(changed.digest(), np.uint8)
        return digests

    def grown(self, columns: int) -> Standing:
        """Return the rows with empty ones appended until there are `columns`."""
        more = np.zeros(columns - len(self.table), np.int64)
        return replace(
            self,
            table=self.table.grown(columns),
            reached=None if self.reached is None else np.concatenate((self.reached, more)),
            says=object(),
        )

    def pairs(self, items: NDArray[np.int32], chosen: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """Return entries of pairs of `items`, late people included, int64 [k, k], or the `chosen` of its rows only.

        What stands below the diagonal is to be ignored.
        """
        if chosen is None and self.known is not None and self.known.items is items:
            return self.known.pairs
        owners = items if chosen is None else items[chosen]
        shape = (len(owners), len(items))
        columns, values = np.full(shape, -1, np.int32), np.zeros(shape, np.int64)
        for (indices, numbers), column, value in zip(self.rows(owners), columns, values, strict=True):
            if len(indices):
                spots = indices.searchsorted(items)
                indices.take(spots, out=column, mode="clip")
                numbers.take(spots, out=value, mode="clip")
        # Where a column is not in a row, another one stands at its place.
        values[columns != items] = 0
        if len(self.late):
            values += self.late.block(items, slice(None) if chosen is None else chosen)
        return values
