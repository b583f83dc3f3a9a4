"""From the whole-number sum to the inverse that answers, and from one sum's inverse to its neighbour's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.memory import refuse_if_too_large
from assent.models.recommender.settings import Settings
from assent.sums import UNIT, Contribution, LowRankInverse, PairSum, invert_in_place

#: Eigenvalues of a difference below this share of the largest are rounding, not people.
_NOTHING: Final = 1e-13


@dataclass(slots=True)
class Solved:
    """A sum, the ridges and score scales that go with it, and the inverse of `sum + diag(ridges)`."""

    total: PairSum
    ridges: NDArray[np.float64]
    scales: NDArray[np.float64]
    inverse: LowRankInverse


def solve(
    total: PairSum, settings: Settings, memory_bytes: int | None, progress: Callable[[float], None] | None = None
) -> Solved:
    """Invert `sum + diag(ridges)` anew, from whole numbers. Raises `NotEnoughMemory` before anything is allocated."""
    refuse_if_too_large(total.columns, settings.dtype, memory_bytes)
    ridges = settings.ridges(total.counts)
    matrix: NDArray[Any] = np.zeros((total.columns, total.columns), settings.dtype)
    for item in np.flatnonzero(total.counts).tolist():
        row = total.row(item)
        matrix[item, row.indices] = row.values / UNIT
    matrix[np.diag_indices(total.columns)] += ridges.astype(settings.dtype)
    invert_in_place(matrix, progress=progress)
    return Solved(total, ridges, settings.scales(total.counts), LowRankInverse(matrix))


def follow_person(solved: Solved, contribution: Contribution, sign: int) -> None:
    """Let the inverse follow one person's coming (`sign` 1) or leaving (-1). Raises `Corrupt` when it cannot be."""
    items, values = contribution.items, contribution.values.astype(np.float64)
    spare = float((values * values / solved.ridges[items]).sum())
    solved.inverse.update(items, values, sign * contribution.weight / UNIT, spare)


def follow_ridges(solved: Solved, ridges: NDArray[np.float64]) -> None:
    """Let the inverse follow changes of single ridges. Raises `Corrupt` when it cannot be."""
    one = np.ones(1)
    for item in np.flatnonzero(ridges != solved.ridges).astype(np.int32):
        smaller = min(float(ridges[item]), float(solved.ridges[item]))
        solved.inverse.update(np.array([item]), one, float(ridges[item] - solved.ridges[item]), 1.0 / smaller)
        solved.ridges[item] = ridges[item]


def follow_difference(solved: Solved, fresh: PairSum, items: NDArray[np.int32]) -> bool:
    """Let the inverse follow from its sum to `fresh`, which differs in the rows `items` only.

    The difference is a small symmetric matrix of whole numbers; its eigenvectors are the rank-one terms. Returns
    `False`, having done nothing, when the difference is so wide that solving anew is cheaper.
    """
    touched, difference = difference_of(solved.total, fresh, items)
    if len(touched) * 4 > fresh.columns:
        return False
    if not len(touched):
        return True
    lengths, vectors = np.linalg.eigh(difference)
    limit = _NOTHING * float(np.abs(lengths).max())
    # What is added comes first, so that the matrix stays above its ridge all the way.
    for place in np.argsort(-lengths):
        if abs(lengths[place]) > limit:
            vector = vectors[:, place]
            spare = float((vector * vector / solved.ridges[touched]).sum())
            solved.inverse.update(touched, vector, float(lengths[place]), spare)
    return True


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
