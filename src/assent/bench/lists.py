"""Lists of suggestions: the task of one child process, and its answer for many people, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.bench.peers import Setting

#: Numbers of one block of dense scores: 128 MB of float32.
_SCORES: Final = 1 << 25

#: Lists int [rows, count] for rows of the training part; -1 fills a place that cannot be filled.
Lists = Callable[[NDArray[np.int64]], NDArray[Any]]
#: Called with the stage and the share of it that is done, from 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(slots=True)
class Task:
    """The task of one child process."""

    #: CSR int32 [people, items] of ones, and the same with values by age where times are known.
    training: Any
    fresh: Any | None
    #: Splits that settings are chosen by, where times are known: the part before some day, and the new items after it.
    validation: Sequence[tuple[Any, Any]]
    count: int
    threads: int
    memory_bytes: int
    settings: dict[str, Setting]
    tune_seconds: float | None
    tell: Progress
    #: The seconds of the fit that went into tuning.
    tune_took_seconds: float = 0.0


def by_scores(task: Task, scored: Callable[[NDArray[np.int64]], NDArray[Any]]) -> Lists:
    """Return lists, int64 [rows, count], from float scores [rows, items] that may be overwritten, in blocks of rows."""
    at_once = max(_SCORES // task.training.shape[1], 1)
    return in_blocks(task, at_once, lambda rows: best_of(scored(rows), task.training[rows], task.count))


def in_blocks(task: Task, at_once: int, some: Lists) -> Lists:
    """Return lists of many people, made by `some` for `at_once` rows at a time, with progress: int [rows, count]."""

    def lists(rows: NDArray[np.int64]) -> NDArray[Any]:
        made = []
        for start in range(0, len(rows), at_once):
            task.tell("recommending", start / len(rows))
            made.append(some(rows[start : start + at_once]))
        return np.concatenate(made)

    return lists


def best_of(scores: NDArray[Any], training: Any, count: int) -> NDArray[Any]:
    """Return the `count` best items that a row lacks, best first, -1 where there are no more: int64 [rows, count].

    `scores` float [rows, items] is written to; `training` CSR [rows, items].
    """
    scores[np.arange(len(scores)).repeat(np.diff(training.indptr)), training.indices] = -np.inf
    most = min(count, scores.shape[1])
    places = np.argpartition(-scores, most - 1, axis=1)[:, :most]
    best = np.take_along_axis(scores, places, axis=1)
    order = np.lexsort((places, -best), axis=1)
    lists = np.full((len(scores), count), -1, np.int64)
    lists[:, :most] = np.where(
        np.isneginf(np.take_along_axis(best, order, axis=1)), -1, np.take_along_axis(places, order, axis=1)
    )
    return lists
