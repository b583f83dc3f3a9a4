"""Building a pair sum from everybody at once: exact int64 products in blocks, on all cores, in bounded memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.terms.errors import SumOverflow

#: No entry of a sum may pass this; a quarter of the int64 range stays free for adding two of them.
ENTRY_MAX: Final = 1 << 61
#: How many entries one block of the product may hold before it is written down.
_BLOCK_ENTRIES: Final = 2_000_000


def refuse_overflow(matrix: Any, weights: NDArray[np.int64]) -> None:
    """Raise `SumOverflow` when a diagonal entry of `matrix' diag(weights) matrix` would pass `ENTRY_MAX`.

    The diagonal is enough: the matrix is a sum of `w v v'` with `w, v > 0`, hence positive semi-definite, and by
    Cauchy-Schwarz no entry is above the larger of its two diagonal entries. `matrix` is CSR int64 [people, items].
    """
    if not matrix.nnz:
        return
    largest = int(weights.max()) * int(matrix.data.max()) ** 2
    if largest * matrix.shape[0] <= ENTRY_MAX:
        return
    squares = matrix.astype(np.float64).power(2).T @ weights.astype(np.float64)
    # The float sum of positive terms is off by far less than one part in a million.
    if float(squares.max()) * (1 + 1e-6) > ENTRY_MAX:
        message = "An entry of the sum would pass 2^61."
        raise SumOverflow(message)


def upper_pairs(
    matrix: Any, weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the upper triangle of `matrix' diag(weights) matrix` as CSR arrays (starts, indices, values).

    `matrix` is a scipy CSR int64 [people, items] without zeros or duplicates, `weights` int64 [people]. Raises
    `SumOverflow`. Peak memory is the result twice, plus one block for each core.
    """
    refuse_overflow(matrix, weights)
    weighted = scipy.sparse.csr_matrix(
        (matrix.data * np.repeat(weights, np.diff(matrix.indptr)), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    by_item = matrix.T.tocsr()

    def part_of(block: tuple[int, int]) -> Any:
        """Multiply the rows of a block, and keep what is not below the diagonal before it is sorted."""
        first, last = block
        product = by_item[first:last] @ weighted
        owners = np.repeat(np.arange(first, last), np.diff(product.indptr))
        upper = product.indices >= owners
        starts = np.concatenate(([0], np.cumsum(np.bincount(owners[upper] - first, minlength=last - first))))
        kept: Any = scipy.sparse.csr_matrix((product.data[upper], product.indices[upper], starts), product.shape)
        kept.sort_indices()
        return starts[1:], kept.indices.astype(np.int32, copy=False), kept.data

    blocks = _blocks(matrix, by_item)
    if len(blocks) > 1:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(part_of, blocks))
    else:
        parts = [part_of(block) for block in blocks]
    ends = [np.zeros(1, np.int64)]
    for part in parts:
        ends.append(part[0] + ends[-1][-1])
    indices = np.concatenate([np.empty(0, np.int32), *(part[1] for part in parts)])
    values = np.concatenate([np.empty(0, np.int64), *(part[2] for part in parts)])
    return np.concatenate(ends).astype(np.int64), indices, values


def _blocks(matrix: Any, by_item: Any) -> list[tuple[int, int]]:
    """Cut the items into runs whose rows of the product hold at most `_BLOCK_ENTRIES` entries (or one row)."""
    held = np.diff(matrix.indptr).astype(np.int64)
    per_entry = held[by_item.indices]
    reach = np.concatenate(([0], np.cumsum(per_entry)))
    bound = np.minimum(np.diff(reach[by_item.indptr]), matrix.shape[1])
    blocks: list[tuple[int, int]] = []
    first, filled = 0, 0
    for item, entries in enumerate(bound.tolist()):
        if filled + entries > _BLOCK_ENTRIES and item > first:
            blocks.append((first, item))
            first, filled = item, 0
        filled += entries
    if first < len(bound):
        blocks.append((first, len(bound)))
    return blocks
