"""The sparse form: every item's score from its nearest items only, for catalogs too large for an inverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.memory import check_sparse_fits
from assent.models.recommender.popularity import mass_of, mass_of_rows
from assent.models.recommender.settings import RecommenderSettings, shares_of
from assent.models.recommender.sparse.solver import (
    Progress,
    Solver,
    choose,
    closeness,
    levels,
    regress,
    rows_of,
    solve_here,
)
from assent.models.recommender.sparse.weights import Replacement, Rows, SparseWeights
from assent.sums import UNIT, Contribution, PairSum
from assent.sums.differences import row_difference
from assent.sums.nearest import NO_ITEM
from assent.sums.sum_reader import SumReader
from assent.terms.errors import Corrupt

#: A change of more than one item in this many is solved again as a whole.
_TOUCHED_SHARE: Final = 4


class _Factors(NamedTuple):
    """The factors of answers from the counts, float32 [n]: of each column, and of both sides of a pair."""

    scales: NDArray[np.float32]
    #: Without a share of neighbours these two are empty.
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]


class _Change(NamedTuple):
    """The whole state of a form after a change, computed before any of it is installed."""

    total: PairSum
    reader: SumReader
    octaves: NDArray[np.float64]
    mass: int
    factors: _Factors
    left: NDArray[np.float32]
    edges: NDArray[np.float64]
    weights: Replacement


class SparseForm:
    """A sum, the nearest items `N` of every item `j`, and `j`'s regression on them: `(G_NN + R_N)^-1 G_Nj`.

    It is the inverse of `G + R` over `N` and `j` alone, for each `j`, where the dense form takes all items at once.
    When neighbours have a share in the scores, the entries `G_Nj` are the second layer of the weights.
    """

    kind: ClassVar[str] = "sparse"

    def __init__(
        self,
        total: PairSum,
        settings: RecommenderSettings,
        weights: SparseWeights,
        left: NDArray[np.float32],
        edges: NDArray[np.float64],
    ) -> None:
        """Take over a sum and its solved arrays.

        `left` float32 [n] is the residual variance of each item given its neighbours, `edges` float64 [n] the closeness
        of its last neighbour.
        """
        self.total = total
        self.settings = settings
        self.weights = weights
        self.left = left
        self.edges = edges
        self.share = settings.neighbour_share
        #: The number of changes that it followed.
        self.terms = 0
        self._reader = SumReader(total)
        self._octaves = levels(total.counts)
        self._mass = mass_of(total) if self.share else 0
        self._factors = self._factors_of(total.counts, self._mass)

    def _factors_of(self, counts: NDArray[np.int64], mass: int) -> _Factors:
        """Return the factors from counts, int64 [n], and the sum of all entries."""
        scales = (self.settings.scales(counts) * (1.0 - self.share)).astype(np.float32)
        if not self.share:
            return _Factors(scales, np.empty(0, np.float32), np.empty(0, np.float32))
        held_items = max(int(np.count_nonzero(counts)), 1)
        shares = shares_of(counts)
        per_row = held_items * UNIT / max(mass, 1) * self.share
        inputs = (shares**-self.settings.input_discount).astype(np.float32)
        return _Factors(scales, inputs, (shares**-self.settings.neighbour_discount * per_row).astype(np.float32))

    @property
    def columns(self) -> int:
        """The number of items."""
        return self.total.columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the scores of many people; the weights are float32."""
        return np.dtype(self.settings.dtype)

    # -- answering -----------------------------------------------------------------------------------------------

    def score_one(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return `x B` for one person (`items` int32 [k], `weights` float64 [k]), float32 [columns]; reads k rows."""
        scores = np.zeros(self.columns, np.float32)
        scales, inputs, outputs = self._factors
        for item, weight in zip(items.tolist(), weights.astype(np.float32), strict=True):
            columns, layers = self.weights.row(item)
            parts = layers[0] * scales[columns]
            if self.share:
                parts += layers[1] * (outputs[columns] * inputs[item])
            scores[columns] += parts * weight
        return scores

    def parts(
        self, items: NDArray[np.int32], weights: NDArray[np.float64], targets: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the part of each item in the score of each target, float64 [k, t].

        `items` int32 [k], `weights` float64 [k], `targets` int32 [t].
        """
        layers = self.weights.layers
        scales, inputs, outputs = self._factors
        shares = self.weights.block(items, targets, layers[0]) * scales[targets]
        if self.share:
            pairs = self.weights.block(items, targets, layers[1])
            shares += pairs * inputs[items][:, None] * outputs[targets]
        parts: NDArray[np.float64] = weights[:, None] * shares
        return parts

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return the partial correlation of items near each other, float32 [columns]; 0 elsewhere, -inf at `item`.

        `B_ij sqrt(left_i / left_j)` and `B_ji sqrt(left_j / left_i)` are both estimates of it: their mean where both
        are there.
        """
        closeness = np.zeros(self.columns, np.float32)
        near = self.weights.near[item]
        there = near != NO_ITEM
        theirs, mine = near[there], self.weights.layers[0][item][there]
        closeness[theirs] = mine * np.sqrt(self.left[theirs] / self.left[item])
        columns, layers = self.weights.row(item)
        reverse = layers[0] * np.sqrt(self.left[item] / self.left[columns])
        both = np.isin(columns, theirs)
        closeness[columns] = (closeness[columns] + reverse) / np.where(both, 2.0, 1.0)
        np.clip(closeness, -1.0, 1.0, out=closeness)
        closeness[item] = -np.inf
        return closeness

    def score_rows(self, people: Any, out: NDArray[Any]) -> None:
        """Write `X B` for a block of people, CSR float64 [people, columns], to `out`, floats [people, columns]."""
        typed = people.astype(out.dtype)
        scales, inputs, outputs = self._factors
        self.weights.times(typed, 0, out)
        out *= scales
        if self.share:
            typed.data *= inputs[typed.indices]
            pairs = np.empty_like(out)
            self.weights.times(typed, 1, pairs)
            pairs *= outputs
            out += pairs

    # -- following -----------------------------------------------------------------------------------------------

    def prepare(
        self,
        fresh: PairSum,
        people: Sequence[Contribution],
        sign: int,  # noqa: ARG002 - both ways
    ) -> Callable[[], bool]:
        """Solve the changed columns of `people`, and return the step to `fresh`; the form answers meanwhile."""
        touched = np.unique(np.concatenate([np.empty(0, np.int32), *(one.items for one in people)]))
        return self._prepare_items(fresh, touched, touched)

    def prepare_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
        """Solve the changed columns of rows `items`, int32 [k]; return the step to `fresh`, or to `False`."""
        pairs = [self._moved_in_row(fresh, item) for item in items.tolist()]
        recounted = np.flatnonzero(self.total.counts != fresh.counts)
        touched = np.unique(np.concatenate([np.empty(0, np.int32), recounted, *pairs])).astype(np.int32)
        if len(touched) * _TOUCHED_SHARE > self.columns:
            return lambda: False
        return self._prepare_items(fresh, touched, items)

    def _moved_in_row(self, fresh: PairSum, item: int) -> NDArray[np.int32]:
        """Return the items whose pair with `item` differs, and `item` itself if there are any, int32 [k]."""
        moved = row_difference(self.total, fresh, item).indices
        return np.append(moved, np.int32(item)) if len(moved) else moved

    def _prepare_items(self, fresh: PairSum, touched: NDArray[np.int32], rows: NDArray[np.int32]) -> Callable[[], bool]:
        """Return the step to `fresh`, in which only pairs among `touched` (ascending) differ, all in `rows`."""
        change = self._solve_changes(fresh, touched, rows) if len(touched) else None

        def take_over() -> bool:
            if change is None:
                self.total = fresh
            else:
                self._take_over(change)
            return True

        return take_over

    def _solve_changes(self, fresh: PairSum, touched: NDArray[np.int32], rows: NDArray[np.int32]) -> _Change:
        """Return the changed state; the form itself does not change, even when the work is stopped.

        1 The neighbours of `touched` are chosen again, and those of items near which an item's octave moved. 2 All
        these, and every item with a neighbour among `touched`, are solved again. No other column depends on the change.
        """
        reader = self._reader.copy()
        reader.follow(fresh, rows.tolist())
        octaves, mass = levels(fresh.counts), self._mass
        if self.share:
            mass += mass_of_rows(fresh, rows) - mass_of_rows(self.total, rows)
        moved = np.flatnonzero(self._octaves != octaves).astype(np.int32)
        again = np.union1d(touched, self._reached_by(reader, octaves, moved)).astype(np.int32)
        columns = np.union1d(again, self.weights.near_to(touched)).astype(np.int32)
        near = self.weights.near[columns]
        choice = choose(reader, octaves, again)
        near[np.searchsorted(columns, again)] = choice.near
        solved = regress(reader, self.settings.ridges(fresh.counts), columns, near)
        left, edges = self.left.copy(), self.edges.copy()
        left[columns], edges[again] = solved.left, choice.edges
        weights = self.weights.prepare(columns, near, _layers(solved.weights, solved.together, self.share))
        return _Change(fresh, reader, octaves, mass, self._factors_of(fresh.counts, mass), left, edges, weights)

    def _take_over(self, change: _Change) -> None:
        """Install the changed state, which is quick beside solving it."""
        self.terms += 1
        self.total, self._reader, self._octaves, self._mass, self._factors, self.left, self.edges, weights = change
        self.weights.install(weights)

    def _reached_by(
        self, reader: SumReader, octaves: NDArray[np.float64], moved: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Return the items whose neighbours may change because the octaves of `moved` (ascending) did, int32 [k].

        An edge is never above the true one: a neighbour may come closer without a new choice, and none is missed.
        """
        if not len(moved):
            return moved
        starts, indices, values = rows_of(reader, moved)
        close = closeness(values, octaves[moved].repeat(np.diff(starts)))
        return np.union1d(indices[close >= self.edges[indices]], self.weights.near_to(moved)).astype(np.int32)

    def prepare_growth(self, fresh: PairSum, memory_bytes: int | None) -> Callable[[], None]:
        """Return the step to `fresh`, which has empty columns appended. Raises `NotEnoughMemory`."""
        check_sparse_fits(fresh.columns, 0, memory_bytes)
        more = self.settings.ridges(fresh.counts)[self.columns :]
        left = np.concatenate((self.left, more.astype(np.float32)))
        edges = np.concatenate((self.edges, np.zeros(len(more))))
        reader = self._reader.copy()
        reader.follow(fresh, ())
        octaves, factors = levels(fresh.counts), self._factors_of(fresh.counts, self._mass)
        weights = self.weights.grown(fresh.columns)

        def take_over() -> None:
            self.total, self._reader, self._octaves, self._factors = fresh, reader, octaves, factors
            self.left, self.edges, self.weights = left, edges, weights

        return take_over

    def residual(self, item: int) -> float:
        """Return the largest error of a weight of `item` against the sum; 0 is exact."""
        one = np.array([item], np.int32)
        near = choose(self._reader, self._octaves, one).near
        solved = regress(self._reader, self.settings.ridges(self.total.counts), one, near)
        apart = np.zeros(self.columns + 1)
        # `NO_ITEM` is the last place, where all weights are zero.
        apart[near[0]] = solved.weights[0]
        apart[self.weights.near[item]] -= self.weights.layers[0][item]
        return float(np.abs(apart).max())

    # -- keeping -------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return weights [n, neighbours], float32 and int32, by their names in the model file; read only."""
        self._reader.flush()
        self.weights.flush()
        weights, rows = self.weights, self.weights.rows
        named: dict[str, NDArray[Any]] = {
            "near": weights.near,
            "left": self.left,
            "edges": self.edges,
            "row_starts": rows.starts,
            "row_columns": rows.columns,
        }
        for number, (layer, row_layer) in enumerate(zip(weights.layers, rows.layers, strict=True)):
            named |= {f"weights_{number}": layer, f"row_weights_{number}": row_layer}
        return named

    @classmethod
    def from_arrays(cls, total: PairSum, settings: RecommenderSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a form of a sum and arrays: name, shape and dtype as `arrays` gives them.

        Raises `Corrupt` or `KeyError` when they do not belong to the sum.
        """
        near, left, edges = arrays["near"], arrays["left"], arrays["edges"]
        numbers = range(len(_layers(0, 1, settings.neighbour_share)))
        layers = [arrays[f"weights_{number}"] for number in numbers]
        row_layers = tuple(arrays[f"row_weights_{number}"] for number in numbers)
        rows = Rows(arrays["row_starts"], arrays["row_columns"], row_layers)
        size, count = total.columns, int((near != NO_ITEM).sum())
        shaped = near.ndim == 2 and len(near) == size and len(rows.starts) == size + 1
        shaped = shaped and left.shape == edges.shape == (size,)
        shaped = shaped and all(layer.shape == near.shape for layer in layers)
        shaped = shaped and all(layer.shape == (count,) for layer in (rows.columns, *row_layers))
        if not (shaped and _within(near, NO_ITEM, size) and _within(rows.columns, 0, size) and _ascends(rows, count)):
            raise Corrupt("The weights do not belong to the sum.")
        return cls(total, settings, SparseWeights(near, layers, rows), left, edges)


def solve_sparse(
    total: PairSum,
    settings: RecommenderSettings,
    memory_bytes: int | None,
    progress: Progress | None = None,
    solver: Solver = solve_here,
) -> SparseForm:
    """Solve a sum over many items. Raises `NotEnoughMemory` before it allocates."""
    check_sparse_fits(total.columns, len(total.arrays()[1]), memory_bytes)
    near, edges, weights, together, left = solver(total, settings, progress)
    layers = _layers(weights, together, settings.neighbour_share)
    return SparseForm(total, settings, SparseWeights(near, layers), left, edges)


def _layers(weights: Any, together: Any, share: float) -> list[Any]:
    return [weights, together] if share else [weights]


def _within(numbers: NDArray[Any], low: int, size: int) -> bool:
    return not numbers.size or (int(numbers.min()) >= low and int(numbers.max()) < size)


def _ascends(rows: Rows, count: int) -> bool:
    return int(rows.starts[0]) == 0 and int(rows.starts[-1]) == count and bool((np.diff(rows.starts) >= 0).all())
