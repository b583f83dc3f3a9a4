"""The dense form: the whole inverse of `sum + diag(ridges)` in one array, and the rank-one terms of its changes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.recommender.dense.blend import Blend
from assent.models.recommender.dense.neighbours import Neighbours
from assent.models.recommender.dense.weight_rows import WeightRows
from assent.models.recommender.memory import check_dense_fits
from assent.models.recommender.settings import RecommenderSettings
from assent.sums import UNIT, Contribution, LowRankInverse, PairSum, invert_in_place
from assent.sums.differences import differences
from assent.sums.lowrank import Term
from assent.terms.errors import Corrupt

#: Eigenvalues of a difference below this share of the largest are rounding, not people.
_ROUNDING: Final = 1e-13
#: A row of more than one entry in this many is multiplied faster as a dense one.
_DENSE_SHARE: Final = 20


class DenseForm:
    """A sum, the inverse `Q` of `sum + diag(ridges)`, and the rows of the sum when neighbours have a share.

    The weights are those of `Blend`.
    """

    kind: ClassVar[str] = "dense"

    def __init__(
        self, total: PairSum, settings: RecommenderSettings, inverse: LowRankInverse, memory_bytes: int | None = None
    ) -> None:
        """Take over a sum and its inverse; `memory_bytes` replaces the memory that is really free."""
        self.total = total
        self.settings = settings
        self.inverse = inverse
        self.ridges = settings.ridges(total.counts)
        self.neighbours = Neighbours(total, settings, memory_bytes) if settings.neighbour_share else None
        self._blend = Blend(inverse, self.neighbours, settings)
        self._weights = WeightRows(self.columns, self.dtype, self._blend)
        self._blend.measure(total.counts)

    @property
    def columns(self) -> int:
        """The number of items."""
        return self.total.columns

    @property
    def terms(self) -> int:
        """The number of rank-one terms since the inverse was computed from the sum."""
        return self.inverse.terms

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the inverse and of the scores of many people."""
        return self.inverse.dense.dtype

    # -- answering -----------------------------------------------------------------------------------------------

    def score_one(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return every item's score for one person (`items` int32 [k], `weights` float64 [k]), float32 [columns]."""
        scores: NDArray[np.float32] = self._weights.times(items, weights).astype(np.float32, copy=False)
        return scores

    def parts(
        self, items: NDArray[np.int32], weights: NDArray[np.float64], targets: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the part of each item in the score of each target, float64 [k, t].

        `items` int32 [k], `weights` float64 [k], `targets` int32 [t].
        """
        parts: NDArray[np.float64] = weights[:, None] * self._weights.block(items, targets)
        return parts

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return the partial correlation of every item with `item`, float32 [columns]; -inf at the item itself."""
        diagonal = self.inverse.diagonal
        row = self.inverse.times(np.array([item], np.int32), np.ones(1))
        closeness: NDArray[np.float32] = (-row / np.sqrt(diagonal * diagonal[item])).astype(np.float32)
        closeness[item] = -np.inf
        return closeness

    def score_rows(self, people: Any, out: NDArray[Any]) -> None:
        """Write the scores of a block of people, CSR float64 [people, columns], to `out`, floats [people, columns]."""
        typed = people.astype(self.dtype)
        if self._weights.whole:
            rows, places = self._weights.everything()
            shape = (typed.shape[0], len(rows))
            _multiply(scipy.sparse.csr_matrix((typed.data, places[typed.indices], typed.indptr), shape), rows, out)
            return
        _multiply(typed, self.inverse.whole(), out)
        out *= self._blend.over
        owners = np.repeat(np.arange(typed.shape[0]), np.diff(typed.indptr))
        out[owners, typed.indices] += typed.data * self._blend.scales[typed.indices]
        if self.neighbours is not None:
            self.neighbours.add_rows(people, self._blend.share, out)

    # -- following -----------------------------------------------------------------------------------------------

    # No work can be done before: each term depends on the one before it, and all of it takes milliseconds.

    def prepare(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> Callable[[], None]:
        """Return the step that takes over `fresh` as `follow` does."""
        return functools.partial(self.follow, fresh, people, sign)

    def prepare_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
        """Return the step to `fresh`, which differs in rows `items`, int32 [k], as `follow_rows` does."""
        return functools.partial(self.follow_rows, fresh, items)

    def prepare_growth(self, fresh: PairSum, memory_bytes: int | None) -> Callable[[], None]:
        """Return the step that takes over `fresh` as `grow` does."""
        return functools.partial(self.grow, fresh, memory_bytes)

    def follow(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> None:
        """Take over `fresh`, which is `total` with `people` added (`sign` 1) or subtracted (-1). Raises `Corrupt`."""
        terms = [self._follow_person(one, sign) for one in people]
        if self.neighbours is not None:
            self.neighbours.follow(fresh, people, sign)
        items = people[0].items if people else np.empty(0, np.int32)
        if len(people) > 1:
            items = np.unique(np.concatenate([one.items for one in people]))
        self._take_over(fresh, terms, items)

    def follow_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> bool:
        """Take over `fresh`, which differs in the rows `items`, int32 [k], only. Raises `Corrupt`.

        The difference is a small symmetric matrix of whole numbers; its eigenvectors are the rank-one terms. Returns
        `False`, without a change, when the difference is so wide that a new solve is cheaper.
        """
        touched, difference = differences(self.total, fresh, items)
        if len(touched) * 4 > fresh.columns:
            return False
        terms = self._follow_difference(touched, difference) if len(touched) else []
        if self.neighbours is not None:
            self.neighbours.follow_rows(fresh, items, touched)
        self._take_over(fresh, terms, np.arange(fresh.columns, dtype=np.int32))
        return True

    def _follow_person(self, contribution: Contribution, sign: int) -> Term:
        items, values = contribution.items, contribution.values.astype(np.float64)
        spare = float((values * values / self.ridges[items]).sum())
        return Term(items, values, sign * contribution.weight / UNIT, spare)

    def _follow_difference(self, touched: NDArray[np.int32], difference: NDArray[np.float64]) -> list[Term]:
        lengths, vectors = np.linalg.eigh(difference)
        least = _ROUNDING * float(np.abs(lengths).max())
        # Positive terms come first, so that the matrix stays above its ridge at every step.
        places = [place for place in np.argsort(-lengths) if abs(lengths[place]) > least]
        spares = (vectors * vectors / self.ridges[touched, None]).sum(axis=0)
        return [Term(touched, vectors[:, place], float(lengths[place]), float(spares[place])) for place in places]

    def _take_over(self, fresh: PairSum, terms: list[Term], items: NDArray[np.int32]) -> None:
        """Follow terms and the ridges of `items`, int32 [k], and take over the new sum."""
        self.inverse.update_all([*terms, *self._follow_ridges(fresh.counts, items)])
        self.total = fresh
        if self.neighbours is not None:
            self.neighbours.measure(fresh, items)
        self._measure(items)

    def _follow_ridges(self, counts: NDArray[np.int64], items: NDArray[np.int32]) -> list[Term]:
        """Set the ridges of `items`, int32 [k], the items with changed counts; return the rank-one terms of that."""
        before, after = self.ridges[items], self.settings.ridges(counts[items])
        self.ridges[items] = after
        moved = np.flatnonzero(before != after)
        spares = 1.0 / np.minimum(before, after)
        one = np.ones(1)
        return [Term(items[[place]], one, float(after[place] - before[place]), float(spares[place])) for place in moved]

    def _measure(self, items: NDArray[np.int32] | None = None) -> None:
        self._blend.measure(self.total.counts, items)
        self._weights.drop()

    def grow(self, fresh: PairSum, memory_bytes: int | None) -> None:
        """Take over `fresh`, which is `total` with empty columns appended. Raises `NotEnoughMemory`."""
        beside = 0 if self.neighbours is None else self.neighbours.bytes_to_come(fresh)
        check_dense_fits(fresh.columns, self.settings.dtype, memory_bytes, beside)
        ridges = self.settings.ridges(fresh.counts)
        self.inverse.grow(ridges[self.total.columns :])
        self.total, self.ridges = fresh, ridges
        self._weights = WeightRows(self.columns, self.dtype, self._blend)
        if self.neighbours is not None:
            self.neighbours.grow(fresh)
        self._measure()

    def residual(self, item: int) -> float:
        """Return the error of `Q` at column `item` of the sum: the largest entry of `|Q a - e|`."""
        column = self.total.column(item) / UNIT
        column[item] += self.ridges[item]
        return self.inverse.residual(item, column)

    # -- keeping -------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the inverse, [items, items] in its dtype, under its name in the model file; read only."""
        return {"inverse": self.inverse.whole()}

    @classmethod
    def from_arrays(cls, total: PairSum, settings: RecommenderSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a form of a sum and the inverse, [items, items] in the settings' dtype, of `arrays`.

        Raises `Corrupt` or `KeyError` when it does not belong to the sum.
        """
        dense = arrays["inverse"]
        if dense.dtype != settings.dtype or dense.shape != (total.columns, total.columns):
            raise Corrupt("The inverse does not belong to the sum.")
        return cls(total, settings, LowRankInverse(dense))


def _multiply(people: Any, dense: NDArray[Any], out: NDArray[Any]) -> None:
    """Write a CSR matrix [people, items] times a dense one to `out`."""
    if people.nnz * _DENSE_SHARE > people.shape[0] * people.shape[1]:
        np.matmul(people.toarray(), dense, out=out)
    else:
        out[:] = people @ dense


def solve_dense(
    total: PairSum,
    settings: RecommenderSettings,
    memory_bytes: int | None,
    progress: Callable[[float], None] | None = None,
) -> DenseForm:
    """Invert `sum + diag(ridges)` from whole numbers; the caller has checked the memory."""
    matrix: NDArray[Any] = np.empty((total.columns, total.columns), settings.dtype)
    total.fill(matrix)
    matrix[np.diag_indices(total.columns)] += settings.ridges(total.counts).astype(settings.dtype)
    invert_in_place(matrix, progress=progress)
    return DenseForm(total, settings, LowRankInverse(matrix), memory_bytes)
