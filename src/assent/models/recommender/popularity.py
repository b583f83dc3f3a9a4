"""Popularity in scores: counts to a negative power, and the sum of all entries."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import LOWEST_OCTAVE, mean_count
from assent.sums import PairSum

#: So many halves of an int64 are added up at once: their sum stays in range.
_SUM_ENTRIES: Final = 1 << 24


class Popularity:
    """`(max(d_i, 8) / d) ** -exponent`, where `d_i` is the count of item `i` and `d` the mean count above zero."""

    def __init__(self, exponent: float) -> None:
        self._exponent = exponent
        self._powers: NDArray[np.float64] = np.empty(0)

    def of(self, counts: NDArray[np.int64], items: NDArray[np.int32] | None = None) -> NDArray[np.float64]:
        """Return the factor of every item, float64 [items], given `counts`, int64 [items].

        With `items`, int32 [k], only their counts may have changed since the last call.
        """
        whole: NDArray[np.float64] = self.powers(counts, items) * mean_count(counts) ** self._exponent
        return whole

    def powers(self, counts: NDArray[np.int64], items: NDArray[np.int32] | None = None) -> NDArray[np.float64]:
        """Return the factors without `d`, float64 [items], of counts, int64 [items]; read only.

        With `items`, int32 [k], only their counts may have changed since the last call.
        """
        if items is None:
            self._powers = self._power(counts)
        else:
            self._powers[items] = self._power(counts[items])
        return self._powers

    def _power(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        power: NDArray[np.float64] = np.maximum(counts, 1 << LOWEST_OCTAVE).astype(np.float64) ** -self._exponent
        return power


def mass_of(total: PairSum) -> int:
    """Return the sum of all entries of the symmetric matrix, in units of 2^-20."""
    return 2 * _exact(total.arrays()[2]) - _exact(total.diagonal())


def mass_of_rows(total: PairSum, items: NDArray[np.int32]) -> int:
    """Return the part of rows `items`, int32 [k], above the diagonal and below it, in the sum of all entries."""
    rows = [total.row(item) for item in items.tolist()]
    return sum(2 * _exact(row.values) - int(row.values[0]) for row in rows if len(row.values))


def _exact(values: NDArray[np.int64]) -> int:
    """Return a sum that may pass the range of int64."""
    parts = (values[first : first + _SUM_ENTRIES] for first in range(0, len(values), _SUM_ENTRIES))
    return sum((int((part >> 31).sum()) << 31) + int((part & (2**31 - 1)).sum()) for part in parts)
