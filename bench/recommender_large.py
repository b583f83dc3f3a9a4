"""Large catalogs: a sum over millions of pairs, sparse weights, and one person leaving, in figures.

`python -m bench.recommender_large [medium] [cut] [large]`: as many items, people and actions as the public
Amazon-Book split; a cut of it small enough for the dense form; a million items. `large` takes minutes and 16 GB.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent import Recommender
from bench.matrices import timed
from bench.table import Row, show

COUNT: Final = 20
LEAVING: Final = 20
ASKING: Final = 200


class Size(NamedTuple):
    """A made-up catalog and its targets."""

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


def clustered_crowd(size: Size, seed: int = 0) -> Any:
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
    keys = np.empty(0, np.int64)
    while len(keys) < size.entries:
        missing = size.entries - len(keys)
        owner = random.choice(size.people, missing + missing // 20 + 100, p=lengths / lengths.sum())
        taste = tastes[owner, (random.random(len(owner)) ** 2 * 3).astype(np.int64)]
        low, high = bounds[taste], bounds[taste + 1]
        free = random.random(len(owner)) < 1 / 7
        low[free], high[free] = 0.0, bounds[-1]
        drawn = np.searchsorted(reach, low + random.random(len(owner)) * (high - low), side="right") - 1
        # Sorted and each once; `np.unique` takes many times as long for as many.
        keys = np.sort(np.concatenate((keys, owner * size.items + order[np.minimum(drawn, size.items - 1)])))
        keys = keys[np.diff(keys, prepend=-1) > 0]
    # What is over is taken from everywhere alike.
    keys = np.sort(random.permutation(keys)[: size.entries])
    places = (keys // size.items, keys % size.items)
    return scipy.sparse.csr_matrix((np.ones(len(keys)), places), shape=(size.people, size.items))


def peak_gb() -> float:
    """Return the most memory this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(name: str) -> dict[str, float]:
    """Fit, ask and forget at one size; returns figures in seconds and GB."""
    crowd = clustered_crowd(SIZES[name])
    model = Recommender(form="sparse")
    processor = time.process_time()
    figures = {"fit": timed(model.fit, crowd), "fit_processor": time.process_time() - processor, "peak_gb": peak_gb()}
    figures["pairs"] = float(len(model.solved.sum.arrays()[1]))
    some = np.random.default_rng(1).choice(np.flatnonzero(np.diff(crowd.indptr)), ASKING, replace=False)
    rows = [crowd[[person]] for person in some]
    seconds = {
        "answer": [timed(answer, model, row) for row in rows],
        "list": [timed(model.recommend, row, COUNT) for row in rows],
        "forget": [timed(model.forget, row) for row in rows[:LEAVING]],
    }
    for what, each in seconds.items():
        figures |= {what: float(np.median(each)), f"{what}_95": float(np.quantile(each, 0.95))}
    return figures | {"peak_after_gb": peak_gb()}


def answer(model: Recommender, row: Any) -> NDArray[np.intp]:
    """Return the best items of one person who holds `row`, as a decision finds them."""
    scores = model.solved.score_one(row.indices, row.data)
    scores[row.indices] = -np.inf
    return np.argpartition(-scores, COUNT)[:COUNT]


def measure_cut(items: int = CUT_ITEMS) -> dict[str, float]:
    """Hide a fifth of what people hold of the most popular items, and ask both forms for it: Recall@20."""
    crowd = clustered_crowd(SIZES["medium"])
    popular = np.argsort(-np.bincount(crowd.indices, minlength=crowd.shape[1]), kind="stable")[:items]
    entries = crowd[:, popular].tocoo()
    random = np.random.default_rng(1)
    shown = random.random(entries.nnz) >= 1 / 5

    def part(which: NDArray[np.bool_]) -> Any:
        places = (entries.row[which], entries.col[which])
        return scipy.sparse.csr_matrix((entries.data[which], places), shape=entries.shape)

    training, hidden = part(shown), part(~shown)
    chosen = np.flatnonzero(np.diff(training.indptr) * np.diff(hidden.indptr))
    chosen = random.choice(chosen, min(5_000, len(chosen)), replace=False)
    figures = {}
    for form in ("sparse", "dense"):
        lists, _ = Recommender(form=form).fit(training).recommend(training[chosen], COUNT)
        owners = np.arange(len(chosen)).repeat(COUNT)
        hits = np.asarray(hidden[chosen][owners, lists.ravel()]).reshape(lists.shape).sum(axis=1)
        figures[form] = float((hits / np.diff(hidden[chosen].indptr)).mean())
    return figures


def apart(measured: Callable[..., dict[str, float]], *given: Any) -> dict[str, float]:
    """Measure in a process of its own, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, *given).result()


def size_rows(name: str) -> list[Row]:
    """Measure one size beside its targets."""
    size, figures = SIZES[name], apart(measure, name)
    what = f"{size.items:,} items, {size.entries / 1e6:g} M actions"
    return [
        Row(
            what=f"fit, {what}",
            target=f"<= {size.fit_seconds:,.0f} s, peak < {size.peak_gb:g} GB",
            measured=f"{figures['fit']:,.0f} s ({figures['fit_processor']:,.0f} s of processor), "
            f"{figures['pairs'] / 1e6:,.0f} M pairs",
            ok=figures["fit"] <= size.fit_seconds and figures["peak_gb"] < size.peak_gb,
            peak_mb=figures["peak_gb"] * 1e3,
        ),
        Row(
            what=f"one answer, {what}",
            target="< 20 ms",
            measured=f"{1e3 * figures['answer']:.1f} ms, 95 % within {1e3 * figures['answer_95']:.1f} ms; "
            f"through recommend {1e3 * figures['list']:.1f} ms",
            ok=figures["answer_95"] < 20e-3,
        ),
        Row(
            what=f"forget one person, visible in the next answer, {what}",
            target="measured",
            measured=f"{figures['forget']:.1f} s, 95 % within {figures['forget_95']:.1f} s",
            ok=True,
            peak_mb=figures["peak_after_gb"] * 1e3,
        ),
    ]


def cut_row(items: int = CUT_ITEMS) -> Row:
    """Measure what the sparse form finds of what the dense one does."""
    figures = apart(measure_cut, items)
    share = figures["sparse"] / figures["dense"]
    return Row(
        what=f"Recall@20 of the sparse form, {items:,} items",
        target=">= 98 % of the dense form",
        measured=f"{share:.1%}: {figures['sparse']:.4f} against {figures['dense']:.4f}",
        ok=share >= 0.98,
    )


def rows(chosen: Sequence[str] = ("medium", "cut", "large")) -> list[Row]:
    """Return the figures of the sizes asked for."""
    return [row for name in chosen for row in ([cut_row()] if name == "cut" else size_rows(name))]


if __name__ == "__main__":
    show(rows(sys.argv[1:] or ("medium", "cut", "large")), "Large catalogs")
