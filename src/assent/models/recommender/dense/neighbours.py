"""Neighbours: the second term of a score, from the sum itself instead of its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.memory import check_neighbours_fit, float_copy_bytes
from assent.models.recommender.popularity import Popularity, mass_of, mass_of_rows
from assent.models.recommender.settings import RecommenderSettings, mean_count
from assent.sums import UNIT, Contribution, FloatCopy, PairSum


class Neighbours:
    """`N_ij = G_ij / g * (d_i / d)^-a * (d_j / d)^-b` with `N_ii = 0`: the sum, smoothed by items' numbers of people.

    `d_i` is the number of people of item `i` (at least 8), `d` the mean over items with at least one person, and `g`
    the mean sum of a row of `G`: with them the term has the size of one step of a walk between items, for any weights
    of people and any size of the sum.
    """

    def __init__(self, total: PairSum, settings: RecommenderSettings, memory_bytes: int | None = None) -> None:
        """Measure a sum; `memory_bytes` replaces the memory that is really free once it is read."""
        self._memory_bytes = memory_bytes
        self._settings = settings
        self._lefts, self._rights = Popularity(settings.input_discount), Popularity(settings.neighbour_discount)
        #: The sum of all entries of `G`, in units of 2^-20.
        self.mass = mass_of(total)
        self._float_copy: FloatCopy | None = None
        self.measure(total)

    def measure(self, total: PairSum, items: NDArray[np.int32] | None = None) -> None:
        """Take over a sum, with the factors of both sides from its counts.

        With `items`, int32 [k], only their counts have changed.
        """
        self._total = total
        settings, mean = self._settings, mean_count(total.counts)
        held_items = max(int(np.count_nonzero(total.counts)), 1)
        scale = held_items * UNIT / self.mass if self.mass else 0.0
        #: The factor of all entries, beside the factors of their sides.
        self.scale = scale * mean ** (settings.input_discount + settings.neighbour_discount)
        self.left: NDArray[Any] = self._lefts.powers(total.counts, items).astype(settings.dtype)
        self.right: NDArray[Any] = self._rights.powers(total.counts, items).astype(settings.dtype)

    @property
    def float_copy(self) -> FloatCopy:
        """The float image of the sum, made on first use; then it follows. Raises `NotEnoughMemory`."""
        if self._float_copy is None:
            check_neighbours_fit(self._total, self._settings, self._memory_bytes)
            self._float_copy = self._total.float_copy(self._settings.dtype)
        return self._float_copy

    def bytes_to_come(self, fresh: PairSum) -> int:
        """Return the bytes of an image of `fresh` beyond those of the image in memory."""
        # The image in memory is dropped, and made again about as large with the next answer.
        return float_copy_bytes(fresh, self._settings) if self._float_copy is None else 0

    def follow(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> None:
        """Follow people who came (`sign` 1) or left (-1) to the sum `fresh`; call `measure` afterwards."""
        for one in people:
            self.mass += sign * int(one.values.sum()) ** 2 * one.weight
        if self._float_copy is not None:
            fresh.sync(self._float_copy, [one.items for one in people])

    def follow_rows(self, fresh: PairSum, items: NDArray[np.int32], touched: NDArray[np.int32]) -> None:
        """Follow the rows `items`, int32 [k], of the upper triangle to those of `fresh`; call `measure` afterwards.

        They differ only in pairs of `touched`, int32 [t] ascending.
        """
        self.mass += mass_of_rows(fresh, items) - mass_of_rows(self._total, items)
        if self._float_copy is not None:
            fresh.sync(self._float_copy, [touched])

    def grow(self, fresh: PairSum) -> None:
        """Follow to the sum with empty columns appended."""
        self._float_copy = None
        self.measure(fresh)

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return the rows `items`, int32 [k], of `N`, [k, columns] in the dtype of the settings."""
        rows = self.float_copy.rows(items)
        rows *= self.scale * self.left[items, None]
        rows *= self.right
        return rows

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of `N`'s rows `items`, int32 [k], each times its weight, float64 [k]: floats [columns]."""
        together = self.float_copy.times(items, weights * (self.scale * self.left[items]))
        together *= self.right
        return together

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries of `N` at `items`, int32 [k], x `targets`, int32 [t]: floats [k, t]."""
        entries = self.float_copy.block(items, targets)
        entries *= self.scale * self.left[items, None]
        entries *= self.right[targets]
        return entries

    def add_rows(self, people: Any, share: float, out: NDArray[Any]) -> None:
        """Add `share * X N` for people, CSR float64 [people, columns], to `out`, floats [people, columns]."""
        bounds = people.indptr.tolist()
        for place, (first, last) in enumerate(pairwise(bounds)):
            out[place] += share * self.times(people.indices[first:last], people.data[first:last])
