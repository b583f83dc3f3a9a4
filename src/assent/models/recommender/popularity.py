"""How many people hold each item, to a negative power: kept up with the counts, few of which change at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import LOWEST_OCTAVE, mean_count


class Popularity:
    """`(max(d_i, 8) / d) ** -exponent`, where `d_i` is the count of item `i` and `d` the mean count of those held."""

    def __init__(self, exponent: float) -> None:
        """Hold no item yet."""
        self._exponent = exponent
        self._powers: NDArray[np.float64] = np.empty(0)

    def of(self, counts: NDArray[np.int64], items: NDArray[np.int32] | None = None) -> NDArray[np.float64]:
        """Return it for every item, float64 [items]; since the last call only `items` may have changed, if given."""
        whole: NDArray[np.float64] = self.powers(counts, items) * mean_count(counts) ** self._exponent
        return whole

    def powers(self, counts: NDArray[np.int64], items: NDArray[np.int32] | None = None) -> NDArray[np.float64]:
        """Return the same as if `d` were one; do not write to it."""
        if items is None:
            self._powers = self._power(counts)
        else:
            self._powers[items] = self._power(counts[items])
        return self._powers

    def _power(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        power: NDArray[np.float64] = np.maximum(counts, 1 << LOWEST_OCTAVE).astype(np.float64) ** -self._exponent
        return power
