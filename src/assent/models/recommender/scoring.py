"""What is asked of a solved form: one person's items and weights, checked; the scores and lists of many people."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form
from assent.terms.errors import InvalidInput

#: How many scores are held at once when everybody is scored.
_BLOCK_SCORES: Final = 16_000_000


def item_numbers(items: Any, columns: int) -> NDArray[np.int32]:
    """Return item numbers as int32 [k]; raises `InvalidInput` for anything that is not an item of the model."""
    numbers = np.asarray(items)
    if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
        message = "Items are given as a one-dimensional array of whole numbers."
        raise InvalidInput(message)
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= columns):
        message = f"An item is outside the model's {columns} items."
        raise InvalidInput(message, advice="Call grow(columns) for new items.")
    return numbers.astype(np.int32)


def person(items: Any, weights: Any, columns: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return one person's items, int32 [k], and weights, float64 [k]; raises `InvalidInput`."""
    numbers = item_numbers(items, columns)
    amounts = np.ones(len(numbers)) if weights is None else np.asarray(weights, np.float64)
    if amounts.shape != numbers.shape or not np.isfinite(amounts).all() or (amounts < 0).any():
        message = "Weights are finite numbers from zero on, one for each item."
        raise InvalidInput(message)
    ascending = (numbers[1:] > numbers[:-1]).all()
    if not ascending and len(np.unique(numbers)) != len(numbers):
        message = "An item is given twice."
        raise InvalidInput(message, advice="Add up its weights and give it once.")
    return numbers, amounts


def score(form: Form, people: Any) -> NDArray[Any]:
    """Return `X B` for a CSR [people, items], dense in the type of the form."""
    scores = np.empty(people.shape, form.dtype)
    step = max(1, _BLOCK_SCORES // max(people.shape[1], 1))
    for first in range(0, people.shape[0], step):
        form.score_rows(people[first : first + step], scores[first : first + step])
    return scores


def _owners(people: Any) -> NDArray[np.int64]:
    """Return the row of every entry of a CSR matrix."""
    return np.repeat(np.arange(people.shape[0]), np.diff(people.indptr))


def recommend(
    form: Form, people: Any, count: int, *, exclude_seen: bool
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the best `count` items of every row and their scores, in blocks of people."""
    rows, columns = people.shape
    ids = np.full((rows, count), -1, np.int32)
    scores = np.full((rows, count), -np.inf, np.float32)
    step = max(1, _BLOCK_SCORES // max(columns, 1))
    buffer = np.empty((min(step, rows), columns), form.dtype)
    for first in range(0, rows, step):
        block = people[first : first + step]
        part = buffer[: block.shape[0]]
        form.score_rows(block, part)
        if exclude_seen:
            part[_owners(block), block.indices] = -np.inf
        part[np.diff(block.indptr) == 0] = -np.inf
        best, values = best_of(part, count)
        ids[first : first + step, : best.shape[1]] = best
        scores[first : first + step, : best.shape[1]] = values
    return ids, scores


def best_of(scores: NDArray[Any], count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the best columns of each row, best first, ties in the order of the columns; -1 where it is -inf."""
    rows, columns = scores.shape
    count = min(count, columns)
    if count < columns:
        last = np.partition(scores, columns - count, axis=1)[:, columns - count]
        # Ties at the edge go to the first columns: keep all above it, then fill up in order.
        above = scores > last[:, None]
        level = scores == last[:, None]
        free = count - above.sum(axis=1)
        chosen = above | (level & (np.cumsum(level, axis=1) <= free[:, None]))
        best = np.nonzero(chosen)[1].reshape(rows, count)
    else:
        best = np.tile(np.arange(columns), (rows, 1))
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    scores_of_best: NDArray[np.float32] = np.take_along_axis(values, order, axis=1).astype(np.float32)
    ids: NDArray[np.int32] = np.take_along_axis(best, order, axis=1).astype(np.int32)
    ids[np.isneginf(scores_of_best)] = -1
    return ids, scores_of_best
