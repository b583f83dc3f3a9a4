"""Large catalogues: a sum over millions of pairs, sparse weights, and one person leaving, in figures.

`python -m bench.recommender_large [medium|cut|large]`; each size runs in a process of its own, so that its peak is its
own. `large` takes minutes and 16 GB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse

from assent import Recommender

COUNT: Final = 20
LEAVING: Final = 20
ASKING: Final = 200


class Size(NamedTuple):
    """A made-up catalogue and what it should take."""

    items: int
    people: int
    entries: int
    fit_seconds: float
    peak_gb: float


SIZES: Final = {
    # As many items, people and entries as the public Amazon-Book split.
    "medium": Size(91_599, 52_643, 2_400_000, 60.0, 4.0),
    "large": Size(1_000_000, 1_000_000, 20_000_000, 1_800.0, 16.0),
}
CUT_ITEMS: Final = 30_000


def made_up_crowd(size: Size, seed: int = 0) -> Any:
    """Make people x items: items by Zipf's law in clusters, people with a few clusters each and a log-normal length.

    One entry in seven is drawn from all items instead.
    """
    random = np.random.default_rng(seed)
    clusters = max(size.items // 500, 20)
    popularity = 1.0 / np.arange(1, size.items + 1) ** 0.8
    share = 1.0 / np.sqrt(np.arange(1, clusters + 1))
    cluster = random.choice(clusters, size.items, p=share / share.sum())
    order = np.argsort(cluster, kind="stable")
    reach = np.concatenate(([0.0], np.cumsum(popularity[order])))
    bounds = reach[np.searchsorted(cluster[order], np.arange(clusters + 1))]
    weights = np.diff(bounds) / bounds[-1]
    tastes = random.choice(clusters, (size.people, 3), p=weights)
    lengths = np.exp(random.normal(0.0, 1.2, size.people))
    held = np.empty(0, np.int64)
    while len(held) < size.entries:
        missing = size.entries - len(held)
        owner = random.choice(size.people, missing + missing // 20 + 100, p=lengths / lengths.sum())
        taste = tastes[owner, (random.random(len(owner)) ** 2 * 3).astype(np.int64)]
        low, high = bounds[taste], bounds[taste + 1]
        free = random.random(len(owner)) < 1 / 7
        low[free], high[free] = 0.0, bounds[-1]
        drawn = np.searchsorted(reach, low + random.random(len(owner)) * (high - low), side="right") - 1
        held = np.unique(np.concatenate((held, owner * size.items + order[np.minimum(drawn, size.items - 1)])))
    # What is over is taken from everywhere alike.
    held = np.sort(random.permutation(held)[: size.entries])
    places = (held // size.items, held % size.items)
    return scipy.sparse.csr_matrix((np.ones(len(held)), places), shape=(size.people, size.items))


def timed(act: Callable[[], Any]) -> float:
    """Return how many seconds `act` takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measure(name: str) -> dict[str, float]:
    """Fit, ask and forget at one size; returns figures in seconds and GB."""
    size = SIZES[name]
    crowd = made_up_crowd(size)
    random = np.random.default_rng(1)
    print(f"{name}: {crowd.nnz} entries", file=sys.stderr, flush=True)
    model = Recommender(form="sparse")
    processor = time.process_time()
    fit_seconds = timed(lambda: model.fit(crowd))
    figures = {"fit": fit_seconds, "fit_processor": time.process_time() - processor}
    figures["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    figures["pairs"] = float(len(model.sum.arrays()[1]))
    print(json.dumps(figures), file=sys.stderr, flush=True)
    asking = random.choice(np.flatnonzero(np.diff(crowd.indptr)), ASKING, replace=False)
    scoring = [
        timed(partial(model.score_one, crowd.indices[crowd.indptr[row] : crowd.indptr[row + 1]])) for row in asking
    ]
    listing = [timed(partial(model.recommend, crowd[[row]], COUNT)) for row in asking]
    forgetting = [timed(partial(model.forget, crowd[[row]])) for row in asking[:LEAVING]]
    for what, seconds in (("score", scoring), ("list", listing), ("forget", forgetting)):
        figures |= {what: float(np.median(seconds)), f"{what}_worst": float(np.quantile(seconds, 0.95))}
    figures["peak_after_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return figures
