"""The fit of each recommender, all through one shape: `fit(task)` returns a function of rows to lists."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent import Recommender
from assent.bench.ease import ease_weights
from assent.bench.lists import Lists, Task, by_scores, in_blocks
from assent.bench.peers import OURS, Setting

#: People of one question to a model that works in blocks of its own: enough that it is never idle.
_PEOPLE: Final = 4_096
#: Largest catalog for sansa's exact factor, and the settings that suit each of its factors.
_SANSA_EXACT_ITEMS: Final = 20_000
_SANSA: Final[Mapping[bool, Mapping[str, Setting]]] = {
    True: {"l2": 500.0, "weights_per_item": 100},
    False: {"l2": 20.0, "weights_per_item": 50},
}
#: Below this implicit marks a place that it could not fill.
_NOTHING: Final = -1e30


def fit_ours(task: Task) -> Lists:
    """Fit our own recommender with its defaults, the given settings, or those that `tune` finds on a slice."""
    matrix = task.training if task.fresh is None else task.fresh
    model = Recommender(**task.settings)  # type: ignore[arg-type]  # it refuses what it does not know
    if task.tune_seconds is None:
        model.fit(matrix, progress=lambda share: task.tell("fitting", share))
    else:
        _tune(task, model, matrix)
    task.settings = dataclasses.asdict(model.settings)
    return in_blocks(task, _PEOPLE, lambda rows: model.recommend(matrix[rows], task.count)[0])


def _tune(task: Task, model: Recommender, matrix: Any) -> None:
    """Let the model find its settings on a slice of the training part, and tell that time apart from the fit's."""
    began = time.perf_counter()
    found_at: list[float] = []

    def report(share: float) -> None:
        task.tell("fitting" if found_at else "tuning", share)
        if share >= 1.0 and not found_at:
            found_at.append(time.perf_counter())

    model.tune(matrix, validation=task.validation, seconds_max=task.tune_seconds or 0.0, progress=report)
    task.tune_took_seconds = (found_at or [began])[0] - began


def fit_ease(task: Task) -> Lists:
    """Fit plain EASE."""
    weights = ease_weights(
        task.training, float(task.settings["ridge"]), task.memory_bytes, lambda share: task.tell("fitting", share)
    )
    return by_scores(task, lambda rows: task.training[rows].astype(np.float32) @ weights)


def fit_popularity(task: Task) -> Lists:
    """Rank all items once by how many people hold them, the first of equals first."""
    columns = task.training.shape[1]
    ranked = np.argsort(-task.training.sum(axis=0).A1, kind="stable")
    scores = np.empty(columns, np.float32)
    scores[ranked] = np.arange(columns, 0, -1)
    return by_scores(task, lambda rows: np.tile(scores, (len(rows), 1)))


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
    training = task.training.astype(np.float32)
    if "iterations" in task.settings and kind.__name__ == "AlternatingLeastSquares":
        rounds = float(task.settings["iterations"])
        options = {"callback": lambda done, *_: task.tell("fitting", (done + 1) / rounds)}
    else:
        options = {}
    model.fit(training, show_progress=False, **options)

    def lists(rows: NDArray[np.int64]) -> NDArray[Any]:
        count = min(task.count, training.shape[1])
        ids, scores = model.recommend(rows, training[rows], N=count, filter_already_liked_items=True)
        return np.where(scores > _NOTHING, ids, -1)

    return in_blocks(task, _PEOPLE, lists)


def fit_sansa(task: Task) -> Lists:
    """Fit sansa, with the number of weights that the settings allow each item."""
    import sansa

    columns = task.training.shape[1]
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
    training = task.training.astype(np.float32)
    model = sansa.SANSA(config).fit(training)
    return by_scores(task, lambda rows: model.forward(training[rows]).toarray())


def _sansa_settings(settings: Mapping[str, Setting], columns: int) -> dict[str, Setting]:
    """Fill in what is left to us: an exact factor for catalogs that it is kept for, an incomplete one past them."""
    chosen = dict(settings)
    if chosen["factorizer"] == "auto":
        chosen["factorizer"] = "cholmod" if columns <= _SANSA_EXACT_ITEMS else "icf"
    for name, value in _SANSA[chosen["factorizer"] == "cholmod"].items():
        if chosen[name] == "auto":
            chosen[name] = value
    return chosen


FITS: Final[Mapping[str, Callable[[Task], Lists]]] = {
    OURS: fit_ours,
    "ease": fit_ease,
    "popularity": fit_popularity,
    "implicit-als": fit_als,
    "implicit-bpr": fit_bpr,
    "sansa": fit_sansa,
}
