"""A trial of settings: a slice of people's items is hidden, and what settings are worth is how much they bring back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.ranking import hits_of, ndcgs, recalls
from assent.models.recommender.batch import best_of
from assent.models.recommender.matrix import people_by_items, weigh
from assent.models.recommender.settings import LOWEST_OCTAVE, RecommenderSettings, mean_count
from assent.sums import UNIT, invert_in_place
from assent.terms.errors import InvalidInput

#: Whose items are hidden: so many people at most, each with enough items that one may be missed.
_PEOPLE_MAX: Final = 4_000
_HELD_MIN: Final = 5
#: The share of their items that is hidden.
_HIDDEN_SHARE: Final = 0.2
#: The trial is made over the items that most people hold, so many at most.
_ITEMS_MAX: Final = 10_000
#: How long the lists are that are judged.
_COUNT: Final = 20


class Trial:
    """What is kept of a people x items matrix, and what is hidden and to be brought back.

    Inverses are made over the items that most people hold, from the exact part of the sum that is theirs.
    """

    def __init__(self, kept: Any, hidden: Any, seed: int = 0) -> None:
        """Judge by what is `hidden`, given what is `kept`: CSR [people, items] of whole numbers, no entry in both.

        Of very many people some are drawn by `seed`. Raises `InvalidInput` when nobody has an item in each.
        """
        people = np.flatnonzero((np.diff(hidden.indptr) > 0) & (np.diff(kept.indptr) > 0))
        if len(people) > _PEOPLE_MAX:
            people = np.sort(np.random.default_rng(seed).choice(people, _PEOPLE_MAX, replace=False))
        counts = np.bincount(kept.indices, minlength=kept.shape[1]).astype(np.int64)
        common = np.sort(np.argsort(-counts, kind="stable")[:_ITEMS_MAX])
        common = common[counts[common] > 0]
        asked, wanted = kept[people][:, common].tocsr(), hidden[people][:, common].tocsr()
        useful = (np.diff(asked.indptr) > 0) & (np.diff(wanted.indptr) > 0)
        if not useful.any():
            raise InvalidInput(
                "Nobody has both items to learn from and items that could be brought back.",
                advice=f"Tune on people with {_HELD_MIN} items or more, or use the defaults.",
            )
        self._kept, self._hidden, self._common = kept, hidden, common
        self._all_counts, self._counts = counts, counts[common]
        self._shares = np.maximum(self._counts, 1 << LOWEST_OCTAVE) / mean_count(counts)
        self._asked = asked[useful].astype(np.float32)
        self._wanted = wanted[useful]
        self._grams: dict[float, tuple[NDArray[np.float32], float]] = {}
        self._inner: dict[RecommenderSettings, NDArray[np.float32]] = {}
        self._near: dict[tuple[float, float], NDArray[np.float32]] = {}

    @classmethod
    def hiding(cls, clean: Any, seed: int) -> Self:
        """Hide a fifth of the items of some people of `clean`, CSR [people, items] of whole numbers; keep the rest."""
        return cls(*_hide(clean, np.random.default_rng(seed)), seed)

    @classmethod
    def validating(cls, before: Any, after: Any, seed: int = 0) -> Self:
        """Hide what people took `after` and did not hold `before`: clean CSR [people, items], a row for each person.

        Raises `InvalidInput` when they do not have the same people, or as the constructor.
        """
        if before.shape != after.shape:
            raise InvalidInput(
                f"The two parts of validation have {before.shape[0]} and {after.shape[0]} people.",
                advice="Give both a row for each person, empty where somebody took nothing.",
            )
        known = before.copy()
        known.data[:] = 1.0
        fresh = scipy.sparse.csr_matrix(after - after.multiply(known))
        fresh.eliminate_zeros()
        return cls(before, fresh, seed)

    # -- what settings are worth ---------------------------------------------------------------------------------

    def worths(self, settings: RecommenderSettings) -> NDArray[np.float64]:
        """Return Recall@20 plus NDCG@20 of each list that the settings make, float64 [asked], 0 to 2."""
        scores = self._through_inverse(settings) * (1.0 - settings.neighbour_share)
        scores *= settings.scales(self._all_counts)[self._common].astype(np.float32)
        if settings.neighbour_share:
            right = settings.neighbour_share * self._shares**-settings.neighbour_discount
            scores += self._through_sum(settings) * right.astype(np.float32)
        return self._judge(scores)

    def solved(self, settings: RecommenderSettings) -> bool:
        """Tell whether settings ask for no new inverse."""
        return _inverse_of(settings) in self._inner

    def strength(self, settings: RecommenderSettings) -> float:
        """Return how the ridge of settings compares with their sum: the mean ridge over the mean diagonal, by 1."""
        gram, _ = self._gram(settings.weight_exponent)
        ridges = dataclasses.replace(settings, ridge=1.0).ridges(self._counts)
        return float(ridges @ self._counts / self._counts.sum() / np.diagonal(gram).mean(dtype=np.float64))

    def _gram(self, exponent: float) -> tuple[NDArray[np.float32], float]:
        """Return the sum over the common items, float32 [n, n], and the mean sum of a row of the whole one."""
        if exponent not in self._grams:
            weighed, weights = weigh(self._kept, exponent)
            shares = weights / UNIT
            row_sums = np.asarray(weighed.sum(axis=1)).ravel().astype(np.float64)
            row_mean = float(shares @ row_sums**2) / int(np.count_nonzero(self._all_counts))
            part = weighed[:, self._common].astype(np.float32)
            rooted = part.multiply(np.sqrt(shares)[:, None]).astype(np.float32).tocsr()
            self._grams = {exponent: ((rooted.T @ rooted).toarray(), row_mean)}
        return self._grams[exponent]

    def _through_inverse(self, settings: RecommenderSettings) -> NDArray[np.float32]:
        """Return `x B` for everybody asked, without what they hold and before it is scaled, float32 [asked, n]."""
        key = _inverse_of(settings)
        if key not in self._inner:
            matrix = self._gram(settings.weight_exponent)[0].copy()
            matrix[np.diag_indices(len(matrix))] += settings.ridges(self._counts).astype(np.float32)
            invert_in_place(matrix)
            over = np.negative(1.0 / np.diagonal(matrix))
            # The best so far and the newest: more would only fill memory.
            self._inner = dict(list(self._inner.items())[-1:])
            self._inner[key] = (self._asked @ matrix) * over
        return self._inner[key]

    def _through_sum(self, settings: RecommenderSettings) -> NDArray[np.float32]:
        """Return `x N` for everybody asked, before the discount of what is scored, float32 [asked, n]."""
        key = (settings.weight_exponent, settings.input_discount)
        if key not in self._near:
            gram, row_mean = self._gram(settings.weight_exponent)
            left = self._shares**-settings.input_discount / row_mean
            scaled = self._asked.copy()
            scaled.data *= left[scaled.indices].astype(np.float32)
            self._near = dict(list(self._near.items())[-1:])
            self._near[key] = scaled @ gram
        return self._near[key]

    def _judge(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return Recall@20 plus NDCG@20 of scores [asked, n], which are written to, for each person."""
        owners = np.repeat(np.arange(len(scores)), np.diff(self._asked.indptr))
        scores[owners, self._asked.indices] = -np.inf
        hits, sizes = hits_of(best_of(scores, _COUNT)[0], self._wanted), np.diff(self._wanted.indptr)
        return recalls(hits, sizes) + ndcgs(hits, sizes)


def trials_of(clean: Any, validation: Sequence[Any], seed: int) -> list[Trial]:
    """Return the trials of pairs of parts, or one that hides a slice of `clean`, a CSR of whole numbers.

    Each part is scipy.sparse [people, items] with the items of `clean`. Raises `InvalidInput`.
    """
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in validation):
        raise InvalidInput(
            "validation is a list of pairs: what was held before some day, and what was taken after it.",
            advice="Give one pair as [(before, after)].",
        )
    columns = clean.shape[1]
    return [
        Trial.validating(people_by_items(before, columns), people_by_items(after, columns), seed)
        for before, after in validation
    ] or [Trial.hiding(clean, seed)]


def _inverse_of(settings: RecommenderSettings) -> RecommenderSettings:
    """Return the settings with everything put aside that does not change the inverse."""
    return RecommenderSettings(
        weight_exponent=settings.weight_exponent,
        ridge=settings.ridge,
        popularity_exponent=settings.popularity_exponent,
    )


def _hide(clean: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """Return what is kept and what is hidden, both CSR in the shape of `clean`."""
    lengths = np.diff(clean.indptr)
    able = np.flatnonzero(lengths >= _HELD_MIN)
    people = np.sort(random.choice(able, min(len(able), _PEOPLE_MAX), replace=False))
    chosen = np.zeros(clean.shape[0], np.bool_)
    chosen[people] = True
    owners = np.repeat(np.arange(clean.shape[0]), lengths)
    order = np.lexsort((random.random(clean.nnz), owners))
    places = np.empty(clean.nnz, np.int64)
    places[order] = np.arange(clean.nnz) - clean.indptr[owners]
    hidden = chosen[owners] & (places < np.round(_HIDDEN_SHARE * lengths[owners]))

    def part(wanted: NDArray[np.bool_]) -> Any:
        starts = np.concatenate(([0], np.cumsum(np.bincount(owners[wanted], minlength=clean.shape[0]))))
        return scipy.sparse.csr_matrix((clean.data[wanted], clean.indices[wanted], starts), shape=clean.shape)

    return part(~hidden), part(hidden)
