"""Lists for many people at once: in blocks that fit the processor's cache, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form

#: The scores of a block: few enough for the cache of one core,
_BLOCK_SCORES: Final = 1_000_000
#: but of enough people for products at full speed,
_BLOCK_PEOPLE: Final = 256
#: and never more scores than this, for any catalog.
_MOST_BLOCK_SCORES: Final = 16_000_000


def recommend(
    form: Form, people: Any, count: int, *, exclude_seen: bool
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the best `count` items of every row: ids int32 [people, count] and scores float32 [people, count].

    `people` CSR float64 [people, items]. Best first, ties in the order of the items; -1 and -inf where a list ends
    early. Extra memory: two blocks for each core.
    """
    rows, columns = people.shape
    ids = np.full((rows, count), -1, np.int32)
    scores = np.full((rows, count), -np.inf, np.float32)
    most = max(_MOST_BLOCK_SCORES // max(columns, 1), 1)
    step = min(max(_BLOCK_SCORES // max(columns, 1), _BLOCK_PEOPLE), most)

    def fill(first: int) -> None:
        block = people[first : first + step]
        part = np.empty(block.shape, form.dtype)
        form.score_rows(block, part)
        if exclude_seen:
            part[np.repeat(np.arange(len(part)), np.diff(block.indptr)), block.indices] = -np.inf
        part[np.diff(block.indptr) == 0] = -np.inf
        best, values = best_of(part, count)
        ids[first : first + step, : best.shape[1]] = best
        scores[first : first + step, : best.shape[1]] = values

    # The first block alone: it folds pending terms, and for a few people it is the only one.
    fill(0)
    if rows > step:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(fill, range(step, rows, step)))
    return ids, scores


def best_of(scores: NDArray[Any], count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the best columns of each row, int32 [rows, count], and their scores, float32 [rows, count].

    `scores` floats [rows, columns]. Best first, ties in the order of the columns; -1 where the score is -inf; no more
    than all columns.
    """
    rows, columns = scores.shape
    count = min(count, columns)
    if count < columns:
        last = _last_of_best(scores, count)
        chosen = scores >= last
        crowded = np.flatnonzero(np.count_nonzero(chosen, axis=1) > count)
        chosen[crowded] = _first_of_equals(scores[crowded], last[crowded], count)
        best = np.flatnonzero(chosen).reshape(rows, count) - np.arange(rows)[:, None] * columns
    else:
        best = np.tile(np.arange(columns), (rows, 1))
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    scores_of_best: NDArray[np.float32] = np.take_along_axis(values, order, axis=1).astype(np.float32)
    ids: NDArray[np.int32] = np.take_along_axis(best, order, axis=1).astype(np.int32)
    ids[np.isneginf(scores_of_best)] = -1
    return ids, scores_of_best


def _last_of_best(scores: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the least of the `count` best scores of each row [rows, more than count], [rows, 1]."""
    columns = scores.shape[1]
    if np.count_nonzero(scores[:1]) * 2 > columns:
        return np.partition(scores, columns - count, axis=1)[:, columns - count, None]
    # Where most are equal, as the zeros of a sparse form, the smallest are found far sooner than the largest.
    least: NDArray[Any] = -np.partition(-scores, count - 1, axis=1)[:, count - 1, None]
    return least


def _first_of_equals(scores: NDArray[Any], last: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Return a mask of `count` columns of each row where several equal `last`: the first of those are chosen."""
    above = scores > last
    level = scores == last
    free = count - above.sum(axis=1, keepdims=True)
    chosen: NDArray[np.bool_] = above | (level & (np.cumsum(level, axis=1) <= free))
    return chosen
