"""The weights of the dense form, computed from the inverse and the sum on demand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.dense.neighbours import Neighbours
from assent.models.recommender.popularity import Popularity
from assent.models.recommender.settings import RecommenderSettings
from assent.sums import LowRankInverse


class Blend:
    """`(1 - share) B + share N`: `B_ij` is `-Q_ij / Q_jj` times the scale of item `j`, `N` is `Neighbours`.

    `B_jj` is 0. It has no reference to its form: in a cycle, an old form and its mapped file would stay in memory until
    the garbage collector runs.
    """

    def __init__(self, inverse: LowRankInverse, neighbours: Neighbours | None, settings: RecommenderSettings) -> None:
        """Take over an inverse and the rows of the sum; call `measure` before any question."""
        self.inverse = inverse
        self.neighbours = neighbours
        self.share = settings.neighbour_share
        self._popularity = Popularity(settings.popularity_discount)
        self._dtype = inverse.dense.dtype

    def measure(self, counts: NDArray[np.int64], items: NDArray[np.int32] | None = None) -> None:
        """Compute the factors of all answers from the inverse and the counts, int64 [columns].

        With `items`, int32 [k], only their counts have changed.
        """
        scales = self._popularity.of(counts, items) * (1.0 - self.share)
        #: The factor of a score, and the factor from a product with `Q` to a score.
        self.scales = scales.astype(self._dtype)
        self.over = (-scales / self.inverse.diagonal).astype(self._dtype)

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return the rows `items`, int32 [k], of the weights, [k, columns] in the dtype of the inverse."""
        rows: NDArray[Any] = self.inverse.rows(items)
        rows *= self.over
        rows[np.arange(len(items)), items] = 0.0
        if self.neighbours is not None:
            rows += self.share * self.neighbours.rows(items)
        return rows

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of the rows `items`, int32 [k], each times its weight, float64 [k]: floats [columns]."""
        total: NDArray[Any] = self.inverse.times(items, weights, own=False)
        total *= self.over
        if self.neighbours is not None:
            total += self.share * self.neighbours.times(items, weights)
        return total

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t]: [k, t] in the dtype of the inverse."""
        entries: NDArray[Any] = self.inverse.block(items, targets)
        entries *= self.over[targets]
        entries[items[:, None] == targets] = 0.0
        if self.neighbours is not None:
            entries += self.share * self.neighbours.block(items, targets)
        return entries
