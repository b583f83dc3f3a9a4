"""How two sums differ: a small symmetric matrix of whole numbers over the items that any change touched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assent.sums import UNIT, PairSum


def difference_of(
    old: PairSum, fresh: PairSum, items: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the items whose pairs differ, int32 [t], and the symmetric difference in units, float64 [t, t]."""
    firsts, seconds, steps = [], [], []
    for item in items.tolist():
        before, after = old.row(item), fresh.row(item)
        union = np.union1d(before.indices, after.indices)
        step = np.zeros(len(union), np.int64)
        step[np.searchsorted(union, after.indices)] = after.values
        step[np.searchsorted(union, before.indices)] -= before.values
        moved = step != 0
        firsts.append(np.full(int(moved.sum()), item, np.int32))
        seconds.append(union[moved])
        steps.append(step[moved])
    empty = np.empty(0, np.int32)
    first, second = np.concatenate([empty, *firsts]), np.concatenate([empty, *seconds])
    touched = np.union1d(first, second).astype(np.int32)
    difference = np.zeros((len(touched), len(touched)))
    rows, columns = np.searchsorted(touched, first), np.searchsorted(touched, second)
    amounts = np.concatenate([np.empty(0, np.int64), *steps]) / UNIT
    difference[rows, columns] = amounts
    difference[columns, rows] = amounts
    return touched, difference
