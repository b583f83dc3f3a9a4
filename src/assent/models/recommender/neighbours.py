"""The second term of a score: what goes together, told by the sum itself instead of by its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.recommender.mass import mass_of, mass_of_rows
from assent.models.recommender.popularity import Popularity
from assent.models.recommender.settings import Settings
from assent.sums import UNIT, Contribution, PairSum


class Neighbours:
    """`N_ij = G_ij / g * (d_i / d)^-a * (d_j / d)^-b` with `N_ii = 0`: the sum, smoothed by how many hold an item.

    `d_i` is the number of people of item `i` (at least 8), `d` the mean over the items that somebody holds, and `g` the
    mean sum of a row of `G`: with them the term has the size of one step of a walk between items, whatever the weights
    of people and the size of the sum.
    """

    def __init__(self, total: PairSum, settings: Settings) -> None:
        """Measure a sum."""
        self._settings = settings
        self._lefts, self._rights = Popularity(settings.input_discount), Popularity(settings.neighbour_discount)
        #: The sum of all entries of `G`, in whole steps.
        self.mass = mass_of(total)
        self.measure(total)

    def measure(self, total: PairSum, items: NDArray[np.int32] | None = None) -> None:
        """Take over a sum, with the factors of both sides from its counts; only those of `items` changed, if given."""
        self._total = total
        #: All of `G`, as it is multiplied with many people at once.
        self._whole: Any = None
        held = max(int(np.count_nonzero(total.counts)), 1)
        scale = held * UNIT / self.mass if self.mass else 0.0
        self.left: NDArray[Any] = self._lefts.of(total.counts, items).astype(self._settings.dtype)
        self.right: NDArray[Any] = (self._rights.of(total.counts, items) * scale).astype(self._settings.dtype)

    def follow_person(self, contribution: Contribution, sign: int) -> None:
        """Note one person's coming (`sign` 1) or leaving (-1); `measure` the changed sum afterwards."""
        self.mass += sign * int(contribution.values.sum()) ** 2 * contribution.weight

    def follow_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> None:
        """Note that rows of the upper triangle are those of `fresh`; `measure` it afterwards."""
        self.mass += mass_of_rows(fresh, items) - mass_of_rows(self._total, items)

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return whole rows of `N`, [items, columns]."""
        rows: NDArray[Any] = np.zeros((len(items), self._total.columns), self._settings.dtype)
        for place, item in enumerate(items.tolist()):
            row = self._total.whole_row(item)
            rows[place, row.indices] = row.values
            rows[place, item] = 0.0
        rows *= self.left[items, None] / UNIT
        rows *= self.right
        return rows

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of rows of `N`, each times its weight, [columns]."""
        together = self._total.times(items, weights * self.left[items], own=False)
        together *= self.right
        return together.astype(self.right.dtype, copy=False)

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return entries of `N`, [items, targets]."""
        entries = self._total.block(items, targets).astype(self.right.dtype)
        entries *= self.left[items, None] / UNIT
        entries *= self.right[targets]
        entries[items[:, None] == targets] = 0.0
        return entries

    def add_rows(self, people: Any, share: float, out: NDArray[Any]) -> None:
        """Add `share * X N` for a block of people, CSR [people, columns], to `out` [people, columns]."""
        if self._whole is None:
            starts, indices, values = self._total.symmetric()
            shape = (self._total.columns, self._total.columns)
            typed = values.astype(self.left.dtype)
            typed[indices == np.repeat(np.arange(self._total.columns), np.diff(starts))] = 0.0
            self._whole = scipy.sparse.csr_matrix((typed, indices, starts), shape)
        scaled = people.astype(self.left.dtype)
        scaled.data *= self.left[scaled.indices] * (share / UNIT)
        product = scaled @ self._whole
        product.data *= self.right[product.indices]
        owners = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
        out[owners, product.indices] += product.data
