"""Sparse weights by column and by row: columns are replaced one by one, rows are what answers read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.nearest import NO_ITEM

#: Past one replaced column in so many, and past so many, the rows are made again.
_REPLACED_SHARE: Final = 32
_REPLACED_COLUMNS: Final = 16_384


class Rows(NamedTuple):
    """The entries of columns, row by row: `starts` int64 [n + 1], `columns` int32, each of `layers` float32."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    layers: tuple[NDArray[np.float32], ...]

    def row(self, item: int) -> tuple[NDArray[np.int32], list[NDArray[np.float32]]]:
        """Return the columns of one row, int32 [e], and its entries in each layer, float32 [e]."""
        first, last = self.starts[item], self.starts[item + 1]
        return self.columns[first:last], [layer[first:last] for layer in self.layers]


class _Readable(NamedTuple):
    """The rows for answers: rows of all columns, a mask of the replaced columns, and the rows of their replacements."""

    rows: Rows
    replaced: NDArray[np.bool_]
    fresh: Rows | None


class Replacement(NamedTuple):
    """Other entries for some columns, prepared so that installing them is quick."""

    columns: NDArray[np.int32]
    near: NDArray[np.int32]
    layers: list[NDArray[np.float32]]
    readable: _Readable
    #: The arrays to write to: the weights' own, or copies where those are read-only.
    targets: tuple[NDArray[np.int32], list[NDArray[np.float32]]]


class SparseWeights:
    """Matrices [n, n] ("layers") with entries at the same places, at most `k` in each column.

    `near` int32 [n, k] names the rows of the entries of each column (`NO_ITEM` where there is none), each of `layers`,
    float32 [n, k], holds them. `rows` are the same entries row by row. Replaced columns have a second, small set of
    rows; when they become many, both are joined.
    """

    def __init__(self, near: NDArray[np.int32], layers: list[NDArray[np.float32]], rows: Rows | None = None) -> None:
        """Take over the columns, and their rows if the caller has them."""
        self.near = near
        self.layers = layers
        rows = _every_row(near, layers) if rows is None else rows
        self._readable = _Readable(rows, np.zeros(len(near), np.bool_), None)

    @property
    def rows(self) -> Rows:
        """The entries of all columns at the last join, row by row."""
        return self._readable.rows

    # -- changing ------------------------------------------------------------------------------------------------

    def prepare(
        self, columns: NDArray[np.int32], near: NDArray[np.int32], layers: list[NDArray[np.float32]]
    ) -> Replacement:
        """Return the replacement of the entries of `columns`, int32 [c] ascending; answers continue.

        `near` int32 [c, k], each of `layers` float32 [c, k].
        """
        rows, replaced = self.rows, self._readable.replaced.copy()
        replaced[columns] = True
        if int(replaced.sum()) > max(len(self.near) // _REPLACED_SHARE, _REPLACED_COLUMNS):
            rows = self._together()
            replaced[:] = False
            replaced[columns] = True
        every = np.flatnonzero(replaced).astype(np.int32)
        places = np.searchsorted(every, columns)
        mine, others = self.near[every], [layer[every] for layer in self.layers]
        mine[places] = near
        for own, theirs in zip(others, layers, strict=True):
            own[places] = theirs
        readable = _Readable(rows, replaced, _by_row(every, mine, others, len(self.near)))
        targets = (self.near, self.layers)
        if not self.near.flags.writeable:
            targets = (self.near.copy(), [layer.copy() for layer in self.layers])
        return Replacement(columns, near, layers, readable, targets)

    def install(self, replacement: Replacement) -> None:
        """Install a replacement of `prepare`, with no other change in between."""
        self.near, self.layers = replacement.targets
        self.near[replacement.columns] = replacement.near
        for mine, theirs in zip(self.layers, replacement.layers, strict=True):
            mine[replacement.columns] = theirs
        self._readable = replacement.readable

    def _together(self) -> Rows:
        """Return the current rows of all columns."""
        return self.rows if self._readable.fresh is None else _every_row(self.near, self.layers)

    def flush(self) -> None:
        """Join the rows of all columns; answers may read meanwhile."""
        self._readable = _Readable(self._together(), np.zeros(len(self.near), np.bool_), None)

    def grown(self, columns: int) -> SparseWeights:
        """Return the same weights with empty columns and rows appended until there are `columns`."""
        more = columns - len(self.near)
        shape = (more, self.near.shape[1])
        rows = self._together()
        starts = np.concatenate((rows.starts, np.full(more, rows.starts[-1])))
        return SparseWeights(
            np.concatenate((self.near, np.full(shape, NO_ITEM, np.int32))),
            [np.concatenate((layer, np.zeros(shape, np.float32))) for layer in self.layers],
            rows._replace(starts=starts),
        )

    # -- reading -------------------------------------------------------------------------------------------------

    def row(self, item: int) -> tuple[NDArray[np.int32], list[NDArray[np.float32]]]:
        """Return the columns in which `item` has an entry, int32 [m], each once, and the entries of each layer."""
        rows, replaced, beside = self._readable
        columns, layers = rows.row(item)
        if beside is None:
            return columns, layers
        stays = ~replaced[columns]
        more, fresh = beside.row(item)
        joined = [np.concatenate((old[stays], new)) for old, new in zip(layers, fresh, strict=True)]
        return np.concatenate((columns[stays], more)), joined

    def near_to(self, items: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the columns in which one of `items`, int32 [k], has an entry, int32 [c] ascending."""
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
        """Write the product of a CSR matrix [rows, n] with a layer to `out`, float32 [rows, n]."""
        out[:] = 0
        rows, replaced, beside = self._readable
        _add_product(people, rows, number, out)
        if beside is not None:
            out[:, replaced] = 0
            _add_product(people, beside, number, out)


def _every_row(near: NDArray[np.int32], layers: Sequence[NDArray[np.float32]]) -> Rows:
    """Return the entries of all columns, `near` int32 [n, k] and `layers` float32 [n, k], row by row."""
    return _by_row(np.arange(len(near), dtype=np.int32), near, layers, len(near))


def _by_row(
    columns: NDArray[np.int32], near: NDArray[np.int32], layers: Sequence[NDArray[np.float32]], size: int
) -> Rows:
    """Return the entries of `columns` (ascending), `near` and `layers` [c, k], as `size` rows."""
    there = near != NO_ITEM
    count = int(there.sum())
    starts = np.concatenate(([0], np.cumsum(there.sum(axis=1))))
    # One transposition finds the order for every layer.
    numbers = np.arange(count, dtype=np.int32)
    order = scipy.sparse.csr_array((numbers, near[there], starts), shape=(len(columns), size)).tocsc()
    ordered = tuple(layer[there][order.data] for layer in layers)
    return Rows(order.indptr.astype(np.int64), columns[order.indices], ordered)


def _add_product(people: Any, rows: Rows, number: int, out: NDArray[Any]) -> None:
    size = len(rows.starts) - 1
    matrix = scipy.sparse.csr_array((rows.layers[number], rows.columns, rows.starts.astype(np.int32)), (size, size))
    product = scipy.sparse.csr_array(people) @ matrix
    owners = np.arange(product.shape[0]).repeat(np.diff(product.indptr))
    out[owners, product.indices] += product.data
