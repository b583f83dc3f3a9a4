"""Many small ridge regressions at once: each item from its nearest items, by the entries of one sum."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.sums.nearest import NO_ITEM
from assent.sums.sum_reader import SumReader

#: Items whose pairs are read together; columns with more neighbors than that are solved in halves.
_BLOCK_ITEMS: Final = 3_000
#: Columns solved in one call.
BATCH_COLUMNS: Final = 48

Solved = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def solve_columns(
    reader: SumReader, ridges: NDArray[np.float64], columns: NDArray[np.int32], near: NDArray[np.int32]
) -> Solved:
    """Return the weights of the neighbors of `columns`, int32 [c], their entries of the sum, and the remainders.

    The weights and the entries (in units) are float32 [c, k], the remainders float32 [c]; `ridges` float64 [n].

    Column `j` with neighbors `N`, int32 [c, k] (ascending, padded with `NO_ITEM`): `b = (G_NN + R_N)^-1 G_Nj`, in
    float64. The remainder is `G_jj + r_j - G_jN b`, one over the diagonal of the inverse of `G + R` over `N` and `j`.
    Each column depends on its own entries only, not on the other columns of the call.
    """
    there = near != NO_ITEM
    items = np.unique(np.concatenate((columns, near[there])))
    if len(items) > _BLOCK_ITEMS and len(columns) > 1:
        half = len(columns) // 2
        one = solve_columns(reader, ridges, columns[:half], near[:half])
        other = solve_columns(reader, ridges, columns[half:], near[half:])
        weights, together, left = (np.concatenate(pair) for pair in zip(one, other, strict=True))
        return weights, together, left
    # For each column: the pairs of its neighbors, its own pair with each of them, and its diagonal entry.
    places = np.where(there, np.searchsorted(items, near), len(items))
    own = np.searchsorted(items, columns)[:, None]
    count = near.shape[1]
    above, beside = np.triu_indices(count)
    first = np.concatenate((places[:, above], np.minimum(places, own), own), axis=1)
    second = np.concatenate((places[:, beside], np.maximum(places, own), own), axis=1)
    entries = reader.entries(items, first, second)
    pairs, target, itself = np.split(entries, (len(above), len(above) + count), axis=1)
    system = np.empty((len(columns), count, count))
    system[:, above, beside] = pairs
    system[:, beside, above] = pairs
    diagonal = np.arange(count)
    system[:, diagonal, diagonal] += np.where(there, ridges[near], 1.0)
    weights = np.linalg.solve(system, target[:, :, None])[:, :, 0]
    left = itself[:, 0] + ridges[columns] - (target * weights).sum(axis=1)
    return weights.astype(np.float32), target.astype(np.float32), left.astype(np.float32)


def grouped_order(near: NDArray[np.int32], columns: int) -> NDArray[np.int32]:
    """Return the rows of `near`, int32 [c, k], in an order in which rows that share neighbors are together.

    Rows are sorted by the two of their neighbors that most rows share; `columns` is the number of items. The order is
    int32 [c].
    """
    shared = np.zeros(columns + 1, np.int32)
    shared[:columns] = np.bincount(near[near != NO_ITEM], minlength=columns)
    # Distinct for every item, so that rows with the same hub are together, and absent neighbors come last.
    rank = np.empty(columns + 1, np.int32)
    rank[np.argsort(-shared[:columns], kind="stable")] = np.arange(columns, dtype=np.int32)
    rank[NO_ITEM] = columns
    hubs = np.empty((len(near), 2), np.int32)
    for first in range(0, len(near), 1 << 16):
        ranks = rank[near[first : first + (1 << 16)]]
        ranks.partition(min(1, ranks.shape[1] - 1), axis=1)
        hubs[first : first + len(ranks)] = ranks[:, [0, min(1, ranks.shape[1] - 1)]]
    order: NDArray[np.int32] = np.lexsort((hubs[:, 1], hubs[:, 0])).astype(np.int32)
    return order
