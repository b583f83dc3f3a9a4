"""The second term of a score: what goes together, told by the sum itself instead of by its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.recommender.settings import Settings, mean_count
from assent.sums import UNIT, Contribution, PairSum

_Row = tuple[NDArray[np.int32], NDArray[np.float32]]


class Neighbours:
    """`N_ij = G_ij / g * (d_i / d)^-a * (d_j / d)^-b` with `N_ii = 0`: the sum, smoothed by how many hold an item.

    `d_i` is the number of people of item `i`, `d` its mean over the items that somebody holds, and `g` the mean sum of
    a row of `G`: with them the term has the size of one step of a walk between items, whatever the weights of people.
    `G` is laid out by whole rows in float32, each entry rounded from the whole number in the sum.
    """

    def __init__(self, total: PairSum, settings: Settings) -> None:
        """Lay the sum out by whole rows: 8 bytes for each pair and direction."""
        starts, indices, values = total.arrays()
        upper = scipy.sparse.csr_matrix(
            ((values / UNIT).astype(np.float32), indices, starts), shape=(total.columns, total.columns)
        )
        diagonal = total.diagonal() / UNIT
        self._settings = settings
        #: The sum of all entries of `G`.
        self._mass = 2.0 * float(values.sum(dtype=np.float64)) / UNIT - float(diagonal.sum())
        strict = upper - scipy.sparse.diags_array(diagonal.astype(np.float32), format="csr")
        strict.eliminate_zeros()
        self._rows = (strict + strict.T).tocsr()
        #: Rows that have other pairs than they had in the layout.
        self._changed: dict[int, _Row] = {}
        self.measure(total.counts)

    @staticmethod
    def bytes_of(total: PairSum) -> int:
        """Return the bytes that the rows of a sum take, and half as much again while they are laid out."""
        return 24 * len(total.arrays()[1])

    def measure(self, counts: NDArray[np.int64]) -> None:
        """Take the factors of both sides from the counts of a sum."""
        held = max(int(np.count_nonzero(counts)), 1)
        shares = np.maximum(counts, 1) / mean_count(counts)
        scale = held / self._mass if self._mass > 0 else 0.0
        self.left: NDArray[Any] = (shares**-self._settings.input_discount).astype(self._settings.dtype)
        self.right: NDArray[Any] = (shares**-self._settings.neighbour_discount * scale).astype(self._settings.dtype)

    def _row(self, item: int) -> _Row:
        changed = self._changed.get(item)
        if changed is not None:
            return changed
        first, last = self._rows.indptr[item], self._rows.indptr[item + 1]
        return self._rows.indices[first:last], self._rows.data[first:last]

    # -- answering -----------------------------------------------------------------------------------------------

    def score_one(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return `x N` for one person, float32 [columns]; touches the rows of their items only."""
        scores = np.zeros(len(self.left), np.float32)
        for item, weight in zip(items.tolist(), (self.left[items] * weights).astype(np.float32), strict=True):
            indices, values = self._row(item)
            scores[indices] += values * weight
        scores *= self.right.astype(np.float32, copy=False)
        return scores

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return `N` at `items` x `targets`, [items, targets]."""
        told = np.empty((len(items), len(targets)), self.left.dtype)
        for place, item in enumerate(items.tolist()):
            indices, values = self._row(item)
            told[place] = _at(indices, values, targets)
        told *= self.left[items][:, None] * self.right[targets]
        return told

    def add_rows(self, people: Any, share: float, out: NDArray[Any]) -> None:
        """Add `share * X N` for a block of people, CSR [people, columns], to `out` [people, columns]."""
        self._settle()
        scaled = people.astype(self.left.dtype)
        scaled.data *= self.left[scaled.indices] * share
        product = scaled @ self._rows
        product.data *= self.right[product.indices]
        owners = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
        out[owners, product.indices] += product.data

    def _settle(self) -> None:
        """Put changed rows among the others."""
        if not self._changed:
            return
        rows = [self._row(item) for item in range(len(self.left))]
        starts = np.concatenate(([0], np.cumsum([len(indices) for indices, _ in rows], dtype=np.int64)))
        indices, values = np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows])
        self._rows = scipy.sparse.csr_matrix((values, indices, starts), shape=self._rows.shape)
        self._changed = {}

    # -- following -----------------------------------------------------------------------------------------------

    def follow_person(self, fresh: PairSum, contribution: Contribution, sign: int) -> None:
        """Follow one person's coming (`sign` 1) or leaving (-1) to the sum `fresh`."""
        entries = float(contribution.values.sum()) ** 2 * contribution.weight / UNIT
        self._follow(fresh, contribution.items, sign * entries)

    def follow_difference(self, fresh: PairSum, touched: NDArray[np.int32], difference: NDArray[np.float64]) -> None:
        """Follow to the sum `fresh`, which differs by `difference` [t, t] at the items `touched`, int32 [t]."""
        self._follow(fresh, touched, float(difference.sum()))

    def _follow(self, fresh: PairSum, items: NDArray[np.int32], step: float) -> None:
        """Take over the pairs of `items` from `fresh`."""
        entries = np.zeros((len(items), len(items)), np.float32)
        for place, item in enumerate(items[:-1].tolist()):
            row = fresh.row(item)
            entries[place, place + 1 :] = _at(row.indices, row.values / UNIT, items[place + 1 :])
        entries += entries.T
        for place, item in enumerate(items.tolist()):
            others = np.delete(items, place)
            self._changed[item] = _with(self._row(item), others, np.delete(entries[place], place))
        self._mass += step

    def grow(self, fresh: PairSum) -> None:
        """Follow to `fresh`, which has empty columns appended."""
        self._settle()
        self._rows.resize(fresh.columns, fresh.columns)
        self.measure(fresh.counts)


def _at(indices: NDArray[np.int32], values: NDArray[Any], wanted: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the entries of a sparse row at the places `wanted`, 0 where it has none."""
    if not len(indices):
        return np.zeros(len(wanted), np.float32)
    places = np.minimum(np.searchsorted(indices, wanted), len(indices) - 1)
    told: NDArray[np.float32] = np.where(indices[places] == wanted, values[places], 0.0).astype(np.float32)
    return told


def _with(row: _Row, items: NDArray[np.int32], entries: NDArray[np.float32]) -> _Row:
    """Return the row with other entries at `items`, without zeros."""
    indices, values = row
    places = np.searchsorted(indices, items)
    known = indices[np.minimum(places, len(indices) - 1)] == items if len(indices) else np.zeros(len(items), np.bool_)
    if known.all():
        values = values.copy()
        values[places] = entries
    else:
        new = ~known
        indices = np.insert(indices, places[new], items[new])
        values = np.insert(values, places[new], entries[new])
        values[np.searchsorted(indices, items)] = entries
    if entries.all():
        return indices, values
    kept = values != 0
    return indices[kept], values[kept]
