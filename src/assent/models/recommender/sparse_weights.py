"""Sparse weights by column and by row: columns are replaced one by one, rows are what answers read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.sparse_nearest import NOBODY

#: More replaced columns than one in this many are put among the others.
_REPLACED_SHARE: Final = 32
_REPLACED_MIN: Final = 16_384


class Rows(NamedTuple):
    """The entries of columns, row by row: `starts` int64 [n + 1], `columns` int32, each of `layers` float32."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    layers: tuple[NDArray[np.float32], ...]

    def row(self, item: int) -> tuple[NDArray[np.int32], list[NDArray[np.float32]]]:
        """Return the columns of one row, and its entries in each layer."""
        first, last = self.starts[item], self.starts[item + 1]
        return self.columns[first:last], [layer[first:last] for layer in self.layers]


class SparseWeights:
    """Matrices [n, n] ("layers") with entries at the same places, at most `k` in each column.

    `near` int32 [n, k] names the rows of the entries of each column (`NOBODY` where there is none), each of `layers`,
    float32 [n, k], holds them. `rows` are the same entries row by row. Replaced columns stand in a second, small set
    of rows which counts for them instead; when they become many, both are put together.
    """

    def __init__(self, near: NDArray[np.int32], layers: list[NDArray[np.float32]], rows: Rows | None = None) -> None:
        """Take over the columns, and their rows if they are known."""
        self.near = near
        self.layers = layers
        self.rows = self._rows_of(np.arange(len(near), dtype=np.int32)) if rows is None else rows
        self._replaced = np.zeros(len(near), np.bool_)
        self._fresh: Rows | None = None

    def _rows_of(self, columns: NDArray[np.int32]) -> Rows:
        """Return the entries of some columns (ascending), row by row."""
        near = self.near[columns]
        there = near != NOBODY
        count = int(there.sum())
        starts = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
        shape = (len(columns), len(self.near))
        # One transposition finds the order, and every layer is put into it.
        order = scipy.sparse.csr_array((np.arange(count, dtype=np.int32), near[there], starts), shape=shape).tocsc()
        layers = tuple(layer[columns][there][order.data] for layer in self.layers)
        return Rows(order.indptr.astype(np.int64), columns[order.indices], layers)

    def replace(self, columns: NDArray[np.int32], near: NDArray[np.int32], layers: list[NDArray[np.float32]]) -> None:
        """Put other entries in place of those of `columns` (ascending)."""
        if not self.near.flags.writeable:
            self.near, self.layers = self.near.copy(), [layer.copy() for layer in self.layers]
        self.near[columns] = near
        for mine, theirs in zip(self.layers, layers, strict=True):
            mine[columns] = theirs
        self._replaced[columns] = True
        replaced = np.flatnonzero(self._replaced).astype(np.int32)
        self._fresh = self._rows_of(replaced)
        if len(replaced) > max(len(self.near) // _REPLACED_SHARE, _REPLACED_MIN):
            self.settle()

    def settle(self) -> None:
        """Put all columns together as rows."""
        if self._fresh is not None:
            self.rows = self._rows_of(np.arange(len(self.near), dtype=np.int32))
            self._replaced[:] = False
            self._fresh = None

    def grow(self, columns: int) -> None:
        """Append empty columns and rows until there are `columns`."""
        more = columns - len(self.near)
        shape = (more, self.near.shape[1])
        self.settle()
        self.near = np.concatenate((self.near, np.full(shape, NOBODY, np.int32)))
        self.layers = [np.concatenate((layer, np.zeros(shape, np.float32))) for layer in self.layers]
        self._replaced = np.zeros(columns, np.bool_)
        starts = np.concatenate((self.rows.starts, np.full(more, self.rows.starts[-1])))
        self.rows = self.rows._replace(starts=starts)

    # -- reading -------------------------------------------------------------------------------------------------

    def row(self, item: int) -> tuple[NDArray[np.int32], list[NDArray[np.float32]]]:
        """Return the columns in which `item` has an entry, int32 [m], each once, and the entries of each layer."""
        columns, layers = self.rows.row(item)
        if self._fresh is None:
            return columns, layers
        stays = ~self._replaced[columns]
        more, fresh = self._fresh.row(item)
        joined = [np.concatenate((old[stays], new)) for old, new in zip(layers, fresh, strict=True)]
        return np.concatenate((columns[stays], more)), joined

    def near_to(self, items: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the columns in which one of `items` has an entry, int32 ascending."""
        marked = np.zeros(len(self.near), np.bool_)
        for item in items.tolist():
            marked[self.row(item)[0]] = True
        return np.flatnonzero(marked).astype(np.int32)

    def block(
        self, items: NDArray[np.int32], targets: NDArray[np.int32], layer: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return the entries of `items` in the columns `targets` of a layer, float64 [items, targets]."""
        found = np.zeros((len(items), len(targets)))
        order = np.argsort(items)
        near = self.near[targets]
        places = np.minimum(np.searchsorted(items[order], near), max(len(items) - 1, 0))
        if len(items):
            target, place = np.nonzero(items[order][places] == near)
            found[order[places[target, place]], target] = layer[targets[target], place]
        return found

    def times(self, people: Any, number: int, out: NDArray[Any]) -> None:
        """Write the product of CSR [rows, n] with a layer to `out` [rows, n]."""
        out[:] = 0
        _add_product(people, self.rows, number, out)
        if self._fresh is not None:
            out[:, self._replaced] = 0
            _add_product(people, self._fresh, number, out)


def _add_product(people: Any, rows: Rows, number: int, out: NDArray[Any]) -> None:
    size = len(rows.starts) - 1
    matrix = scipy.sparse.csr_array((rows.layers[number], rows.columns, rows.starts.astype(np.int32)), (size, size))
    product = scipy.sparse.csr_array(people) @ matrix
    owners = np.arange(product.shape[0]).repeat(np.diff(product.indptr))
    out[owners, product.indices] += product.data
