"""How good lists are: Recall@k and NDCG@k, over all items and by the protocol of the BARS leaderboard.

Source of the protocol: BARS (Zhu et al. 2022, "BARS: Towards Open Benchmarking for Recommender Systems"), whose rules
are those of LightGCN (He et al. 2020): whoever has something in the test part is asked about; what a person holds in
the training part is never suggested; recall is hits / what is wanted, not hits / min(k, what is wanted); the ideal of
NDCG has min(k, what is wanted) hits; both are means over people. What is wanted counts even where no list can name it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput


def recall_and_ndcg(lists: NDArray[Any], wanted: Any, sizes: NDArray[Any] | None = None) -> tuple[float, float]:
    """Return the mean Recall@k and NDCG@k of lists int [people, k], as `hits_of` reads them.

    `sizes` whole numbers [people]: how many items each person wants where `wanted` cannot hold them all. Raises
    `InvalidInput`, also when there is nobody to take the mean of.
    """
    hits = hits_of(lists, wanted)
    numbers = np.diff(scipy.sparse.csr_matrix(wanted).indptr) if sizes is None else sizes
    if not len(hits):
        raise InvalidInput(
            "There is nobody whose list could be judged.", advice="Give at least one person who wants something."
        )
    return float(recalls(hits, numbers).mean()), float(ndcgs(hits, numbers).mean())


def hits_of(lists: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    """Return which places of each list are hits, bool [people, k].

    `lists` whole numbers [people, k], the best first, -1 where a place is empty; an item that stands twice in a list
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
    hits: NDArray[np.bool_] = np.isin(keys, entries.row.astype(np.int64) * columns + entries.col) & (places >= 0)
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    again = np.zeros_like(hits)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return hits & ~again


def recalls(hits: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return hits / what is wanted, float64 [people]; `hits` bool [people, k], `sizes` whole numbers [people] from one.

    Raises `InvalidInput` for a person who wants nothing, or less than was hit.
    """
    shares: NDArray[np.float64] = hits.sum(axis=1) / _sizes(hits, sizes)
    return shares


def ndcgs(hits: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return each person's normalised discounted gain, float64 [people]: place p counts 1 / log2(p + 1).

    The ideal list has min(k, what is wanted) hits at its top. Arguments and errors as for `recalls`.
    """
    count = hits.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, count + 2))
    ideal = np.cumsum(discounts)[np.minimum(_sizes(hits, sizes), count) - 1]
    gains: NDArray[np.float64] = (hits * discounts).sum(axis=1) / ideal
    return gains


def _sizes(hits: NDArray[np.bool_], sizes: NDArray[Any]) -> NDArray[np.int64]:
    numbers = np.asarray(sizes)
    fits = numbers.shape == hits.shape[:1] and numbers.dtype.kind in "iu"
    if not fits or (numbers < np.maximum(hits.sum(axis=1), 1)).any():
        raise InvalidInput(
            "How many items a person wants is a whole number from one on, and not below what was hit.",
            advice="Leave out people who want nothing: nothing can be said about their lists.",
        )
    return numbers.astype(np.int64)
