"""What stands below the diagonal, kept beside the upper triangle for who reads whole rows of the sum often."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.rows import Row, assigned
from assent.sums.table import RowTable


class Mirror:
    """The rows of the strict lower triangle; like those above never changed in place, so copies share them."""

    __slots__ = ("_changed", "_table")

    def __init__(self, table: RowTable, changed: dict[int, Row] | None = None) -> None:
        """Hold the rows of `table`, and in place of some of them those of `changed`."""
        self._table = table
        self._changed = {} if changed is None else changed

    @classmethod
    def of(cls, starts: NDArray[np.int64], indices: NDArray[np.int32], values: NDArray[np.int64]) -> Mirror:
        """Turn over an upper triangle given as CSR arrays."""
        size = len(starts) - 1
        upper: Any = scipy.sparse.csr_matrix((values, indices, starts), (size, size))
        # By columns, every row ends with its diagonal entry, which is left to the upper triangle.
        turned = upper.tocsc()
        below = turned.indices != np.repeat(np.arange(size), np.diff(turned.indptr))
        ends = np.concatenate(([0], np.cumsum(below)))[turned.indptr].astype(np.int64)
        return cls(RowTable(ends, turned.indices[below].astype(np.int32), turned.data[below]))

    def row(self, item: int) -> Row:
        """Return what stands before the diagonal in row `item`; do not write to its arrays."""
        changed = self._changed.get(item)
        return self._table.row(item) if changed is None else changed

    def rows(self, items: NDArray[np.int32]) -> list[Row]:
        """Return what stands before the diagonal in some rows; do not write to its arrays."""
        return self._table.rows(items, self._changed)

    def put(self, changes: Iterable[tuple[int, NDArray[np.int32], NDArray[np.int64]]]) -> None:
        """Set entries: rows, their columns before the diagonal (ascending), and values, zero for none."""
        for item, indices, values in changes:
            self._changed[item] = assigned(self.row(item), indices, values)

    def split(self, item: int, whole: Row) -> Row:
        """Set what stands before the diagonal in a whole row, and return the rest of it."""
        middle = int(whole.indices.searchsorted(item))
        self._changed[item] = Row(whole.indices[:middle], whole.values[:middle])
        return Row(whole.indices[middle:], whole.values[middle:])

    def grown(self, rows: int) -> Mirror:
        """Return a mirror with empty rows appended until there are `rows`."""
        return Mirror(self._table.grown(rows), dict(self._changed))

    def copy(self) -> Mirror:
        """Return a mirror that goes its own way and shares all rows with this one."""
        return Mirror(self._table, dict(self._changed))
