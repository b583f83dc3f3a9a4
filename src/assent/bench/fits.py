"""The fit of each recommender, all through one shape: `fit(task)` returns a function of rows to lists."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent import Recommender
from assent.bench.ease import ease_weights
from assent.bench.peers import OURS, Setting

#: Numbers of one block of dense scores: 128 MB of float32.
_SCORES: Final = 1 << 25
#: People of one question to a model that works in blocks of its own: enough that it is never idle.
_PEOPLE: Final = 4_096
#: Up to here sansa's exact factor is quick enough; for each of its factors what suits it.
_SANSA_EXACT_ITEMS: Final = 20_000
_SANSA: Final[Mapping[bool, Mapping[str, Setting]]] = {
    True: {"l2": 500.0, "weights_per_item": 100},
    False: {"l2": 20.0, "weights_per_item": 50},
}
#: Below this implicit marks a place that it could not fill.
_NOTHING: Final = -1e30

#: Lists int [rows, count] for rows of the training part; -1 fills a place that cannot be filled.
Lists = Callable[[NDArray[np.int64]], NDArray[Any]]
#: Called with what is being done and which share of it, from 0 to 1, is done.
Told = Callable[[str, float], None]


@dataclass(slots=True)
class Task:
    """What one child process is asked to do."""

    #: CSR int32 [people, items] of ones, and the same with values by age where times are known.
    held: Any
    fresh: Any | None
    #: What settings are chosen by, where times are known: what was held before some day, and taken anew after it.
    validation: Sequence[tuple[Any, Any]]
    count: int
    threads: int
    memory_bytes: int
    settings: dict[str, Setting]
    tune_seconds: float | None
    tell: Told
    #: How much of the fit went into looking for settings.
    tune_took_seconds: float = 0.0


def fit_ours(task: Task) -> Lists:
    """Fit our own recommender: its defaults, what was set, or what `tune` found on a slice of the training part."""
    matrix = task.held if task.fresh is None else task.fresh
    model = Recommender(**task.settings)  # type: ignore[arg-type]  # it refuses what it does not know
    if task.tune_seconds is None:
        model.fit(matrix, progress=lambda share: task.tell("fitting", share))
    else:
        _tune(task, model, matrix)
    task.settings = dataclasses.asdict(model.settings)
    return _in_blocks(task, _PEOPLE, lambda rows: model.recommend(matrix[rows], task.count)[0])


def _tune(task: Task, model: Recommender, matrix: Any) -> None:
    """Let the model find its settings on a slice of the training part, and tell that time apart from the fit's."""
    began = time.perf_counter()
    found_at: list[float] = []

    def told(share: float) -> None:
        task.tell("fitting" if found_at else "tuning", share)
        if share >= 1.0 and not found_at:
            found_at.append(time.perf_counter())

    model.tune(matrix, validation=task.validation, seconds_max=task.tune_seconds or 0.0, progress=told)
    task.tune_took_seconds = (found_at or [began])[0] - began


def fit_ease(task: Task) -> Lists:
    """Fit plain EASE."""
    weights = ease_weights(
        task.held, float(task.settings["ridge"]), task.memory_bytes, lambda share: task.tell("fitting", share)
    )
    return _by_scores(task, lambda rows: task.held[rows].astype(np.float32) @ weights)


def fit_popularity(task: Task) -> Lists:
    """Rank all items once by how many people hold them, the first of equals first."""
    columns = task.held.shape[1]
    ranked = np.argsort(-task.held.sum(axis=0).A1, kind="stable")
    scores = np.empty(columns, np.float32)
    scores[ranked] = np.arange(columns, 0, -1)
    return _by_scores(task, lambda rows: np.tile(scores, (len(rows), 1)))


def fit_als(task: Task) -> Lists:
    """Fit implicit's ALS."""
    from implicit.als import AlternatingLeastSquares

    return _implicit(task, AlternatingLeastSquares)


def fit_bpr(task: Task) -> Lists:
    """Fit implicit's BPR."""
    from implicit.bpr import BayesianPersonalizedRanking

    return _implicit(task, BayesianPersonalizedRanking)


def _implicit(task: Task, kind: Callable[..., Any]) -> Lists:
    model = kind(**task.settings, random_state=0, num_threads=task.threads)
    held = task.held.astype(np.float32)
    if "iterations" in task.settings and kind.__name__ == "AlternatingLeastSquares":
        rounds = float(task.settings["iterations"])
        told = {"callback": lambda done, *_: task.tell("fitting", (done + 1) / rounds)}
    else:
        told = {}
    model.fit(held, show_progress=False, **told)

    def lists(rows: NDArray[np.int64]) -> NDArray[Any]:
        count = min(task.count, held.shape[1])
        ids, scores = model.recommend(rows, held[rows], N=count, filter_already_liked_items=True)
        return np.where(scores > _NOTHING, ids, -1)

    return _in_blocks(task, _PEOPLE, lists)


def fit_sansa(task: Task) -> Lists:
    """Fit sansa, with the number of weights that the settings allow each item."""
    import sansa

    columns = task.held.shape[1]
    chosen = task.settings = _sansa_settings(task.settings, columns)
    exact = chosen["factorizer"] == "cholmod"
    factorizer = sansa.CHOLMODGramianFactorizerConfig() if exact else sansa.ICFGramianFactorizerConfig()
    inverter = sansa.UMRUnitLowerTriangleInverterConfig(scans=chosen["scans"], finetune_steps=chosen["finetune_steps"])
    density = min(float(chosen["weights_per_item"]) / columns, 1.0)
    config = sansa.SANSAConfig(
        l2=chosen["l2"],
        weight_matrix_density=density,
        gramian_factorizer_config=factorizer,
        lower_triangle_inverter_config=inverter,
    )
    held = task.held.astype(np.float32)
    model = sansa.SANSA(config).fit(held)
    return _by_scores(task, lambda rows: model.forward(held[rows]).toarray())


def _sansa_settings(settings: Mapping[str, Setting], columns: int) -> dict[str, Setting]:
    """Fill in what is left to us: an exact factor for catalogues that it is kept for, an incomplete one past them."""
    chosen = dict(settings)
    if chosen["factorizer"] == "auto":
        chosen["factorizer"] = "cholmod" if columns <= _SANSA_EXACT_ITEMS else "icf"
    for name, value in _SANSA[chosen["factorizer"] == "cholmod"].items():
        if chosen[name] == "auto":
            chosen[name] = value
    return chosen


def _by_scores(task: Task, scored: Callable[[NDArray[np.int64]], NDArray[Any]]) -> Lists:
    """Return lists from dense scores [rows, items] that may be written to, worked out some rows at a time."""
    at_once = max(_SCORES // task.held.shape[1], 1)
    return _in_blocks(task, at_once, lambda rows: best_of(scored(rows), task.held[rows], task.count))


def _in_blocks(task: Task, at_once: int, some: Lists) -> Lists:
    """Return lists of many people, of whom `some` answers for `at_once`; tells how far it is."""

    def lists(rows: NDArray[np.int64]) -> NDArray[Any]:
        made = []
        for start in range(0, len(rows), at_once):
            task.tell("recommending", start / len(rows))
            made.append(some(rows[start : start + at_once]))
        return np.concatenate(made)

    return lists


def best_of(scores: NDArray[Any], held: Any, count: int) -> NDArray[Any]:
    """Return the `count` best items of each row that the row does not hold, best first, -1 where there are no more.

    `scores` float [rows, items] is written to; `held` CSR [rows, items].
    """
    scores[np.arange(len(scores)).repeat(np.diff(held.indptr)), held.indices] = -np.inf
    most = min(count, scores.shape[1])
    places = np.argpartition(-scores, most - 1, axis=1)[:, :most]
    best = np.take_along_axis(scores, places, axis=1)
    order = np.lexsort((places, -best), axis=1)
    lists = np.full((len(scores), count), -1, np.int64)
    lists[:, :most] = np.where(
        np.isneginf(np.take_along_axis(best, order, axis=1)), -1, np.take_along_axis(places, order, axis=1)
    )
    return lists


FITS: Final[Mapping[str, Callable[[Task], Lists]]] = {
    OURS: fit_ours,
    "ease": fit_ease,
    "popularity": fit_popularity,
    "implicit-als": fit_als,
    "implicit-bpr": fit_bpr,
    "sansa": fit_sansa,
}
