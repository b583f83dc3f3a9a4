"""The sum of all entries of a pair sum, exactly."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.sums import PairSum

#: How many halves of an int64 are added up at once: their sum stays in range.
_SUM_ENTRIES: Final = 1 << 24


def mass_of(total: PairSum) -> int:
    """Return the sum of all entries of the symmetric matrix, in steps of 2^-20."""
    return 2 * _exact(total.arrays()[2]) - _exact(total.diagonal())


def mass_of_rows(total: PairSum, items: NDArray[np.int32]) -> int:
    """Return what rows of the upper triangle, and the same below it, add to the sum of all entries."""
    rows = [total.row(item) for item in items.tolist()]
    return sum(2 * _exact(row.values) - int(row.values[0]) for row in rows if len(row.values))


def _exact(values: NDArray[np.int64]) -> int:
    """Return a sum that may pass the range of int64."""
    parts = (values[first : first + _SUM_ENTRIES] for first in range(0, len(values), _SUM_ENTRIES))
    return sum((int((part >> 31).sum()) << 31) + int((part & (2**31 - 1)).sum()) for part in parts)
