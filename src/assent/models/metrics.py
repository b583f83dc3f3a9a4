"""Metrics of ranked lists: Recall@k and NDCG@k, over all items and by the protocol of the BARS leaderboard.

Source of the protocol: BARS (Zhu et al. 2022, "BARS: Towards Open Benchmarking for Recommender Systems"), whose rules
are those of LightGCN (He et al. 2020). Each person with items in the test part gets a list; items of the person's
training part are never suggested. A place of a list is relevant when the person wants its item. Recall divides the
relevant places by all wanted items, not by min(k, wanted); the ideal list of NDCG has min(k, wanted) relevant places.
Both are means over people. A wanted item counts even where no list can name it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput


def recall_and_ndcg(lists: NDArray[Any], wanted: Any, sizes: NDArray[Any] | None = None) -> tuple[float, float]:
    """Return the mean Recall@k and NDCG@k of lists int [people, k], as `relevance_of` reads them.

    `sizes` whole numbers [people]: how many items each person wants where `wanted` cannot hold them all. Raises
    `InvalidInput`, also when there are no lists.
    """
    relevant = relevance_of(lists, wanted)
    numbers = np.diff(scipy.sparse.csr_matrix(wanted).indptr) if sizes is None else sizes
    if not len(relevant):
        raise InvalidInput(
            "There is nobody whose list could be judged.", advice="Give at least one person who wants something."
        )
    return float(recalls(relevant, numbers).mean()), float(ndcgs(relevant, numbers).mean())


def relevance_of(lists: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    """Return which places of each list name a wanted item, bool [people, k].

    `lists` whole numbers [people, k], the best first, -1 where a place is empty; an item that occurs twice in a list
    counts at its first place. `wanted` scipy.sparse [people, items], an entry for each item that the person wants.
    Raises `InvalidInput` when the shapes do not fit or an item does not exist.
    """
    places = np.asarray(lists)
    if places.ndim != 2 or not places.shape[1] or places.dtype.kind not in "iu" or places.shape[0] != wanted.shape[0]:
        raise InvalidInput("Lists are whole numbers [people, k], one row for each row of what is wanted.")
    if places.size and not (places.min() >= -1 and places.max() < wanted.shape[1]):
        raise InvalidInput(f"A list names an item that is not one of the {wanted.shape[1]}.")
    entries = scipy.sparse.coo_matrix(wanted)
    columns = np.int64(wanted.shape[1])
    keys = np.arange(len(places), dtype=np.int64)[:, None] * columns + places
    relevant: NDArray[np.bool_] = np.isin(keys, entries.row.astype(np.int64) * columns + entries.col) & (places >= 0)
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    again = np.zeros_like(relevant)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return relevant & ~again


def recalls(relevant: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the relevant places of each list divided by the wanted items of its person, float64 [people].

    `relevant` bool [people, k]; `sizes` whole numbers [people], from one on. Raises `InvalidInput` for a person who
    wants nothing, or fewer items than the relevant places.
    """
    shares: NDArray[np.float64] = relevant.sum(axis=1) / _sizes(relevant, sizes)
    return shares


def ndcgs(relevant: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the normalized discounted gain of each list, float64 [people]: place p counts 1 / log2(p + 1).

    The ideal list has min(k, wanted) relevant places at its top. `relevant` bool [people, k]; `sizes` whole numbers
    [people], from one on. Raises `InvalidInput` for a person who wants nothing, or fewer items than relevant places.
    """
    count = relevant.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, count + 2))
    ideal = np.cumsum(discounts)[np.minimum(_sizes(relevant, sizes), count) - 1]
    gains: NDArray[np.float64] = (relevant * discounts).sum(axis=1) / ideal
    return gains


def _sizes(relevant: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.int64]:
    numbers = np.asarray(sizes)
    fits = numbers.shape == relevant.shape[:1] and numbers.dtype.kind in "iu"
    if not fits or (numbers < np.maximum(relevant.sum(axis=1), 1)).any():
        raise InvalidInput(
            "How many items a person wants is a whole number from one on, and not below the relevant places.",
            advice="Leave out people who want nothing: their lists have no recall.",
        )
    return numbers.astype(np.int64)
