"""A trial of settings: a slice of people's items is hidden, and settings are judged by how many they bring back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.metrics import ndcgs, recalls, relevance_of
from assent.models.recommender.batch import best_of
from assent.models.recommender.matrix import people_by_items, weigh
from assent.models.recommender.settings import LOWEST_OCTAVE, RecommenderSettings, mean_count
from assent.sums import UNIT, invert_in_place
from assent.terms.errors import InvalidInput

#: The largest number of people whose items are hidden, and the least number of items of each.
_PEOPLE: Final = 4_000
_ITEMS_LEAST: Final = 5
#: The share of their items that is hidden.
_HIDDEN_SHARE: Final = 0.2
#: A trial uses so many of the most popular items.
_ITEMS: Final = 10_000
#: The length of the judged lists.
_COUNT: Final = 20


class Trial:
    """A people x items matrix in two parts: the kept items, and the hidden items that lists should bring back.

    Inverses are made over the most popular items, from the exact part of the sum over them.
    """

    def __init__(self, kept: Any, hidden: Any, seed: int = 0) -> None:
        """Judge by the `hidden` items, given the `kept` ones: CSR [people, items] of whole numbers, no entry in both.

        Of very many people some are drawn by `seed`. Raises `InvalidInput` when no person has items in both.
        """
        people = np.flatnonzero((np.diff(hidden.indptr) > 0) & (np.diff(kept.indptr) > 0))
        if len(people) > _PEOPLE:
            people = np.sort(np.random.default_rng(seed).choice(people, _PEOPLE, replace=False))
        counts = np.bincount(kept.indices, minlength=kept.shape[1]).astype(np.int64)
        common = np.sort(np.argsort(-counts, kind="stable")[:_ITEMS])
        common = common[counts[common] > 0]
        inputs, targets = kept[people][:, common].tocsr(), hidden[people][:, common].tocsr()
        useful = (np.diff(inputs.indptr) > 0) & (np.diff(targets.indptr) > 0)
        if not useful.any():
            raise InvalidInput(
                "Nobody has both items to learn from and items that could be brought back.",
                advice=f"Tune on people with {_ITEMS_LEAST} items or more, or use the defaults.",
            )
        self._kept, self._hidden, self._common = kept, hidden, common
        self._all_counts, self._counts = counts, counts[common]
        self._shares = np.maximum(self._counts, 1 << LOWEST_OCTAVE) / mean_count(counts)
        self._inputs = inputs[useful].astype(np.float32)
        self._targets = targets[useful]
        self._grams: dict[float, tuple[NDArray[np.float32], float]] = {}
        self._inner: dict[RecommenderSettings, NDArray[np.float32]] = {}
        self._near: dict[tuple[float, float], NDArray[np.float32]] = {}

    @classmethod
    def hiding(cls, clean: Any, seed: int) -> Self:
        """Hide a fifth of the items of some people of `clean`, CSR [people, items] of whole numbers; keep the rest."""
        return cls(*_hide(clean, np.random.default_rng(seed)), seed)

    @classmethod
    def validating(cls, before: Any, after: Any, seed: int = 0) -> Self:
        """Hide the items that people took `after` and did not have `before`: clean CSR [people, items], a row each.

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

    # -- judging settings ----------------------------------------------------------------------------------------

    def worths(self, settings: RecommenderSettings) -> NDArray[np.float64]:
        """Return Recall@20 plus NDCG@20 of each person's list under the settings, float64 [people], 0 to 2."""
        scores = self._through_inverse(settings) * (1.0 - settings.neighbour_share)
        scores *= settings.scales(self._all_counts)[self._common].astype(np.float32)
        if settings.neighbour_share:
            right = settings.neighbour_share * self._shares**-settings.neighbour_discount
            scores += self._through_sum(settings) * right.astype(np.float32)
        return self._judge(scores)

    def solved(self, settings: RecommenderSettings) -> bool:
        """Tell whether settings need no new inverse."""
        return _inverse_of(settings) in self._inner

    def strength(self, settings: RecommenderSettings) -> float:
        """Return the strength of a ridge of 1 against the sum: the mean ridge over the mean diagonal."""
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
        """Return `x B` of all people before the scales, float32 [people, n]."""
        key = _inverse_of(settings)
        if key not in self._inner:
            matrix = self._gram(settings.weight_exponent)[0].copy()
            matrix[np.diag_indices(len(matrix))] += settings.ridges(self._counts).astype(np.float32)
            invert_in_place(matrix)
            over = np.negative(1.0 / np.diagonal(matrix))
            # The best so far and the newest are kept: more would only fill memory.
            self._inner = dict(list(self._inner.items())[-1:])
            self._inner[key] = (self._inputs @ matrix) * over
        return self._inner[key]

    def _through_sum(self, settings: RecommenderSettings) -> NDArray[np.float32]:
        """Return `x N` of all people before the discount of scored items, float32 [people, n]."""
        key = (settings.weight_exponent, settings.input_discount)
        if key not in self._near:
            gram, row_mean = self._gram(settings.weight_exponent)
            left = self._shares**-settings.input_discount / row_mean
            scaled = self._inputs.copy()
            scaled.data *= left[scaled.indices].astype(np.float32)
            self._near = dict(list(self._near.items())[-1:])
            self._near[key] = scaled @ gram
        return self._near[key]

    def _judge(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return Recall@20 plus NDCG@20 of `scores`, float32 [people, n], which are overwritten: float64 [people]."""
        owners = np.repeat(np.arange(len(scores)), np.diff(self._inputs.indptr))
        scores[owners, self._inputs.indices] = -np.inf
        relevant, sizes = relevance_of(best_of(scores, _COUNT)[0], self._targets), np.diff(self._targets.indptr)
        return recalls(relevant, sizes) + ndcgs(relevant, sizes)


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
    """Return the settings with only those that change the inverse; all others are defaults."""
    return RecommenderSettings(
        weight_exponent=settings.weight_exponent,
        ridge=settings.ridge,
        popularity_exponent=settings.popularity_exponent,
    )


def _hide(clean: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """Return the kept and the hidden part of `clean`, both CSR in its shape."""
    lengths = np.diff(clean.indptr)
    able = np.flatnonzero(lengths >= _ITEMS_LEAST)
    people = np.sort(random.choice(able, min(len(able), _PEOPLE), replace=False))
    chosen = np.zeros(clean.shape[0], np.bool_)
    chosen[people] = True
    owners = np.repeat(np.arange(clean.shape[0]), lengths)
    order = np.lexsort((random.random(clean.nnz), owners))
    places = np.empty(clean.nnz, np.int64)
    places[order] = np.arange(clean.nnz) - clean.indptr[owners]
    hidden = chosen[owners] & (places < np.round(_HIDDEN_SHARE * lengths[owners]))

    def part(targets: NDArray[np.bool_]) -> Any:
        starts = np.concatenate(([0], np.cumsum(np.bincount(owners[targets], minlength=clean.shape[0]))))
        return scipy.sparse.csr_matrix((clean.data[targets], clean.indices[targets], starts), shape=clean.shape)

    return part(~hidden), part(hidden)
