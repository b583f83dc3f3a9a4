"""Differences of two sums over the same columns: row by row, and as one small symmetric matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assent.sums.contribution import UNIT
from assent.sums.pairs import PairSum
from assent.sums.rows import Row


def row_difference(old: PairSum, fresh: PairSum, item: int) -> Row:
    """Return the entries by which row `item` of `fresh` differs from that of `old`: only those, above or below zero.

    `indices` int32 [k] ascend, `values` int64 [k] in steps of 2^-20.
    """
    before, after = old.row(item), fresh.row(item)
    union = np.union1d(before.indices, after.indices)
    step = np.zeros(len(union), np.int64)
    step[np.searchsorted(union, after.indices)] = after.values
    step[np.searchsorted(union, before.indices)] -= before.values
    moved = step != 0
    return Row(union[moved], step[moved])


def differences(
    old: PairSum, fresh: PairSum, items: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the items whose pairs differ, int32 [t] ascending, and the difference in units, float64 [t, t], symmetric.

    `items` int32 [k] are the rows of the upper triangle that may differ.
    """
    rows = [row_difference(old, fresh, item) for item in items.tolist()]
    first = np.repeat(items, [len(row.indices) for row in rows])
    second = np.concatenate([np.empty(0, np.int32), *(row.indices for row in rows)])
    touched = np.union1d(first, second).astype(np.int32)
    matrix = np.zeros((len(touched), len(touched)))
    across, down = np.searchsorted(touched, second), np.searchsorted(touched, first)
    steps = np.concatenate([np.empty(0, np.int64), *(row.values for row in rows)]) / UNIT
    matrix[down, across] = steps
    matrix[across, down] = steps
    return touched, matrix
