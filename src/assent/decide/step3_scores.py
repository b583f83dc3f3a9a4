"""Step 3: score every item from the inputs, and rank by it; the same for popularity, which fills what is missing.

A score is a pure function of catalog, model, the version of its sum and the inputs, so the best of them are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from assent.decide.history_view import Scores
from assent.terms.refusals import POPULAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.decide.history_view import World
    from assent.decide.results import Candidates, Moment
    from assent.models.recommender import SolvedModel

#: The number of best scores kept for one history, beside one for each thing bought, which rules drop later.
KEPT_SCORES = 128
#: The number of most popular items kept, once for everybody.
KEPT_POPULAR = 1_024
#: Most lists end within so many items of their ranking.
FIRST = 32
#: A score of a smaller share of what goes in is rounding: taking somebody out leaves such where they alone had a pair.
ROUNDING = 1e-7


@dataclass(slots=True)
class Ranking:
    """All item numbers with a score above zero, best first, in stretches; past the kept ones all are scored again."""

    kept: Scores
    score_all: Callable[[], NDArray[np.floating[Any]]]

    def __iter__(self) -> Iterator[Sequence[int]]:
        """Yield each item number once; most lists end within the first stretch."""
        kept = self.kept
        yield kept.first
        yield kept.items[len(kept.first) :].tolist()
        if not kept.complete:
            rest = self.score_all()
            rest[kept.items] = 0
            yield best(rest, len(rest)).items.tolist()


def score(moment: Moment, candidates: Candidates) -> Ranking | None:
    """Return the items by their score, None where there is nothing to score from."""
    model = moment.model
    if model is None or candidates.method == POPULAR:
        return None
    score_all = partial(_score_all, model, candidates, len(moment.view))
    kept = candidates.memory.scores.get(candidates.context)
    if kept is None:
        most = KEPT_SCORES + len(candidates.history.bought)
        kept = candidates.memory.scores.keep(candidates.context, best(score_all(), most))
    return Ranking(kept, score_all)


class PopularityRanking:
    """The most popular items of one world, worked out once for everybody. Call it under the decider's lock."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._kept: Scores | None = None

    def rank(self, moment: Moment) -> Ranking:
        """Return the items by how many people hold them, and by newness among equals."""
        if self._kept is None or self._world != moment.world:
            self._world, self._kept = moment.world, best(_popularity(moment), KEPT_POPULAR)
        return Ranking(self._kept, partial(_popularity, moment))


def best(values: NDArray[np.floating[Any]], count: int) -> Scores:
    """Return the `count` largest of the values, float32 or float64 [items], above zero."""
    count = min(count, len(values))
    if count == 0:
        return Scores(np.empty(0, np.int32), values[:0], (), complete=len(values) == 0)
    least = np.partition(values, len(values) - count)[-count]
    head = np.flatnonzero(values >= least) if least > 0 else np.flatnonzero(values > 0)
    scores = values[head]
    order = np.argsort(-scores, kind="stable")[:count]
    items = head[order].astype(np.int32)
    return Scores(items, scores[order], tuple(items[:FIRST].tolist()), complete=count == len(values) or not least > 0)


def _score_all(model: SolvedModel, candidates: Candidates, size: int) -> NDArray[np.float32]:
    """Return the score of each of `size` items, float32 [items]; zero where the model knows nothing."""
    known = model.score_one(candidates.inputs, candidates.values)
    known *= known >= ROUNDING * float(candidates.values.sum())
    return _fitted(known, size)


def _popularity(moment: Moment) -> NDArray[np.float64]:
    """Return how many people hold each item and, below one, how new it is, float64 [items]."""
    popularity = moment.view.newness.astype(np.float64)
    if moment.model is not None:
        popularity += _fitted(moment.model.popularity(), len(popularity))
    return popularity


def _fitted(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the values of the catalog's items, [size], zero for those that the model does not have."""
    if len(values) == size:
        return values
    fitted = np.zeros(size, values.dtype)
    shared = min(len(values), size)
    fitted[:shared] = values[:shared]
    return fitted
