"""A pair sum built from all people at once: exact int64 products in blocks, so that memory stays bounded."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.terms.errors import SumOverflow
from assent.terms.limits import limit

#: The largest entry of a sum: the int64 range has room for the sum of two of them.
ENTRY_MAX: Final = limit("sum_entry_max")
#: Entries of one block of the product.
_BLOCK_ENTRIES: Final = 8_000_000
#: Blocks of a small product: later blocks are smaller, so that the processors finish at about the same time.
_BLOCKS_MIN: Final = 16
#: The least entries of a block: a smaller block costs more to start than to multiply.
_BLOCK_ENTRIES_MIN: Final = 20_000


def refuse_overflow(matrix: Any, weights: NDArray[np.int64]) -> None:
    """Raise `SumOverflow` when a diagonal entry of `matrix' diag(weights) matrix` would be above `ENTRY_MAX`.

    The diagonal is enough: the matrix is a sum of `w v v'` with `w, v > 0`, hence positive semi-definite, and by
    Cauchy-Schwarz no entry is above the larger of its two diagonal entries. `matrix` is CSR int64 [people, items],
    `weights` int64 [people].
    """
    if not matrix.nnz:
        return
    largest = int(weights.max()) * int(matrix.data.max()) ** 2
    if largest * matrix.shape[0] <= ENTRY_MAX:
        return
    squares = matrix.astype(np.float64).power(2).T @ weights.astype(np.float64)
    # The float sum of positive terms is off by far less than one part in a million.
    if float(squares.max()) * (1 + 1e-6) > ENTRY_MAX:
        raise SumOverflow("An entry of the sum would pass 2^61.")


def upper_pairs(
    matrix: Any, weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the upper triangle of `matrix' diag(weights) matrix` as CSR: starts int64, indices int32, values int64.

    `matrix` is a scipy CSR int64 [people, items] without zeros or duplicates, `weights` int64 [people]. Raises
    `SumOverflow`. Peak memory is the result plus one block.
    """
    refuse_overflow(matrix, weights)
    weighted = scipy.sparse.csr_matrix(
        (matrix.data * np.repeat(weights, np.diff(matrix.indptr)), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    by_item = matrix.T.tocsr()
    lengths = np.zeros(matrix.shape[1], np.int64)
    parts: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
    blocks = _blocks(matrix, by_item)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        products = pool.map(lambda block: _upper_product(by_item, weighted, *block), blocks)
        for (first, last), (owned, indices, values) in zip(blocks, products, strict=True):
            lengths[first:last] = owned
            parts.append((indices, values))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    return (starts, *_side_by_side(parts, int(starts[-1])))


def _upper_product(
    by_item: Any, weighted: Any, first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return rows `first` to `last` of the product from the diagonal on: their lengths, indices and values."""
    product = by_item[first:last] @ weighted[:, first:]
    owners = np.repeat(np.arange(last - first, dtype=np.int32), np.diff(product.indptr))
    upper = product.indices >= owners
    lengths = np.bincount(owners[upper], minlength=last - first)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    shape = (last - first, weighted.shape[1] - first)
    kept = scipy.sparse.csr_matrix((product.data[upper], product.indices[upper], starts), shape=shape)
    kept.sort_indices()
    return lengths, kept.indices.astype(np.int32) + np.int32(first), kept.data.astype(np.int64, copy=False)


def _side_by_side(
    parts: list[tuple[NDArray[np.int32], NDArray[np.int64]]], count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Join the parts in order and free each one after it is copied, so that the sum is never in memory twice."""
    indices, values = np.empty(count, np.int32), np.empty(count, np.int64)
    parts.reverse()
    first = 0
    while parts:
        some_indices, some_values = parts.pop()
        last = first + len(some_indices)
        indices[first:last], values[first:last] = some_indices, some_values
        first = last
    return indices, values


def _blocks(matrix: Any, by_item: Any) -> list[tuple[int, int]]:
    """Cut the items into runs whose rows of the product have a bounded number of entries (or are one row)."""
    lengths = np.diff(matrix.indptr).astype(np.int64)
    per_entry = lengths[by_item.indices]
    reach = np.concatenate(([0], np.cumsum(per_entry)))
    bound = np.minimum(np.diff(reach[by_item.indptr]), matrix.shape[1])
    most = min(_BLOCK_ENTRIES, max(int(bound.sum()) // _BLOCKS_MIN, _BLOCK_ENTRIES_MIN))
    blocks: list[tuple[int, int]] = []
    first, filled = 0, 0
    for item, entries in enumerate(bound.tolist()):
        if filled + entries > most and item > first:
            blocks.append((first, item))
            first, filled = item, 0
        filled += entries
    if first < len(bound):
        blocks.append((first, len(bound)))
    return blocks
