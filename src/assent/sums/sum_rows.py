"""The rows of a sum at one moment: never changed in place, so that copies and threads share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import Contribution
from assent.sums.float_copy import Places
from assent.sums.pending import PENDING_PEOPLE, PendingPeople
from assent.sums.rows import Row, side_by_side
from assent.sums.table import HashedRow, RowTable


class LastChange(NamedTuple):
    """The person who was added or removed last: their `items`, int32 [k], and the `pairs` of these, int64 [k, k].

    `where`: the places of the pairs in a float copy of the rows before, whose content token was `before`.
    """

    items: NDArray[np.int32]
    pairs: NDArray[np.int64]
    where: Places | None
    before: object


@dataclass(frozen=True, slots=True)
class SumRows:
    """A table of rows, newer rows in place of some of them, and people who are not in the rows yet.

    An update makes another object of equal content, which replaces this one by one assignment. So no thread reads half
    of a change, and two threads that update at the same time get equal rows.
    """

    table: RowTable
    changed: dict[int, HashedRow] = field(default_factory=dict)
    pending: PendingPeople = field(default_factory=PendingPeople)
    #: For each item the number of rows of the upper triangle with an entry there; counted at first use, then updated.
    reached: NDArray[np.int64] | None = None
    #: The last change, while its person is pending.
    last_change: LastChange | None = None
    #: Identity token: the same object in two snapshots means equal content.
    content: object = field(default_factory=object)

    def row(self, item: int) -> Row:
        """Return row `item` of the upper triangle without the pending people."""
        changed = self.changed.get(item)
        return self.table.row(item) if changed is None else changed.row

    def rows(self, items: NDArray[np.int32]) -> list[Row]:
        """Return the rows `items`, int32 [k], of the upper triangle without the pending people."""
        changed = self.changed
        return self.table.rows(items, {item: changed[item].row for item in items.tolist() if item in changed})

    def counted(self) -> tuple[SumRows, NDArray[np.int64]]:
        """Return the flushed rows, and the number of rows with an entry at each item, int64 [columns]."""
        flushed = self.flushed()
        if flushed.reached is not None:
            return flushed, flushed.reached
        reached = np.bincount(self.table.indices, minlength=len(self.table)).astype(np.int64)
        for item, changed in flushed.changed.items():
            reached[self.table.row(item).indices] -= 1
            reached[changed.row.indices] += 1
        return replace(flushed, reached=reached), reached

    def joined(self, contribution: Contribution, sign: int, change: LastChange) -> SumRows:
        """Return the rows after a person was added (`sign` 1) or removed (-1) by `change`."""
        after = replace(self, pending=self.pending.joined(contribution, sign), last_change=change, content=object())
        return after if len(after.pending) < PENDING_PEOPLE else after.flushed()

    def flushed(self) -> SumRows:
        """Return equal content with every pending person written into the rows."""
        if not len(self.pending):
            return self
        changed, reached, size = dict(self.changed), self.reached, len(self.table)
        items, pending = self.pending.upper(size)
        starts, indices, values = side_by_side(self.rows(items))
        before = scipy.sparse.csr_matrix((values, indices, starts), (len(items), size))
        # Entries that became zero are not in the result.
        after = before + pending
        if reached is not None:
            reached = reached.copy()
            np.subtract.at(reached, before.indices, 1)
            np.add.at(reached, after.indices, 1)
        for item, (first, last) in zip(items.tolist(), pairwise(after.indptr.tolist()), strict=True):
            # A copy for each row: a view would keep the whole array, and with it removed entries, in memory.
            changed[item] = HashedRow(Row(after.indices[first:last].copy(), after.data[first:last].copy()))
        return SumRows(self.table, changed, PendingPeople(), reached, content=self.content)

    def with_rows(self, rows: Mapping[int, Row]) -> SumRows:
        """Return the rows with those in `rows`, by item, in place of the present ones."""
        before = self.flushed()
        return SumRows(before.table, before.changed | {item: HashedRow(row) for item, row in rows.items()})

    def flat(self) -> SumRows:
        """Return equal content with all rows in one table."""
        flushed = self.flushed()
        if not flushed.changed:
            return flushed
        digests = flushed.digests() if flushed.table.digested else None
        rows = [flushed.row(item) for item in range(len(flushed.table))]
        return replace(flushed, table=RowTable.of(rows, digests), changed={})

    def digests(self) -> NDArray[np.uint8]:
        """Return the digest of every row, uint8 [n, 32]; no person may be pending."""
        digests = self.table.digests()
        if self.changed:
            digests = digests.copy()
            for item, changed in self.changed.items():
                digests[item] = np.frombuffer(changed.digest(), np.uint8)
        return digests

    def grown(self, columns: int) -> SumRows:
        """Return the rows with empty ones appended until there are `columns`."""
        more = np.zeros(columns - len(self.table), np.int64)
        return replace(
            self,
            table=self.table.grown(columns),
            reached=None if self.reached is None else np.concatenate((self.reached, more)),
            content=object(),
        )

    def pairs(self, items: NDArray[np.int32], chosen: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """Return the entries of pairs of `items`, int32 [k] ascending, pending people included, int64 [k, k].

        With `chosen`, intp [c], only those rows, int64 [c, k]. Values below the diagonal have no meaning.
        """
        if chosen is None and self.last_change is not None and self.last_change.items is items:
            return self.last_change.pairs
        owners = items if chosen is None else items[chosen]
        shape = (len(owners), len(items))
        columns, values = np.full(shape, -1, np.int32), np.zeros(shape, np.int64)
        for (indices, numbers), column, value in zip(self.rows(owners), columns, values, strict=True):
            if len(indices):
                spots = indices.searchsorted(items)
                indices.take(spots, out=column, mode="clip")
                numbers.take(spots, out=value, mode="clip")
        # A column that is not in a row found another one at its place.
        values[columns != items] = 0
        if len(self.pending):
            values += self.pending.block(items, slice(None) if chosen is None else chosen)
        return values
