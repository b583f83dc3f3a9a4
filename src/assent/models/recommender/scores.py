"""Questions to a solved form: checked inputs of one person, reasons, and the scores of many people."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form
from assent.terms.errors import InvalidInput
from assent.terms.limits import limit

#: The scores of a block when many people are scored.
_BLOCK_SCORES: Final = 16_000_000
_COUNT_MAX: Final = limit("recommend_count_max")


def item_numbers(items: Any, columns: int) -> NDArray[np.int32]:
    """Return `items`, whole numbers [k], as int32 [k]; raises `InvalidInput` for a number outside the model."""
    return _checked(items, columns)[0]


def _checked(items: Any, columns: int) -> tuple[NDArray[np.int32], bool]:
    """Return item numbers as int32 [k], and True when they ascend, each once; raises `InvalidInput`."""
    numbers = np.asarray(items)
    if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
        raise InvalidInput("Items are given as a one-dimensional array of whole numbers.")
    if not len(numbers):
        return numbers.astype(np.int32), True
    ascend = bool((numbers[1:] > numbers[:-1]).all())
    # Of numbers that ascend the ends are the least and the largest.
    least, largest = (numbers[0], numbers[-1]) if ascend else (numbers.min(), numbers.max())
    if least < 0 or largest >= columns:
        raise InvalidInput(
            f"An item is outside the model's {columns} items.", advice="Call solved.grow(columns) for new items."
        )
    return numbers.astype(np.int32), ascend


def checked_input(items: Any, weights: Any, columns: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return one person's `items` as int32 [k], and `weights`, numbers [k] or None for ones, as float64 [k].

    Raises `InvalidInput`.
    """
    numbers, ascend = _checked(items, columns)
    amounts = np.ones(len(numbers)) if weights is None else np.asarray(weights, np.float64)
    # NaN is neither at least zero nor below infinity.
    given = weights is not None and len(amounts) > 0
    if amounts.shape != numbers.shape or (given and not (amounts.min() >= 0 and amounts.max() < np.inf)):
        raise InvalidInput("Weights are finite numbers from zero on, one for each item.")
    if not ascend and len(np.unique(numbers)) != len(numbers):
        raise InvalidInput("An item is given twice.", advice="Add up its weights and give it once.")
    return numbers, amounts


def list_length(count: Any, columns: int) -> int:
    """Return the length of lists; raises `InvalidInput` unless `count` is a whole number in range."""
    most = max(columns, _COUNT_MAX)
    if np.ndim(count) or np.asarray(count).dtype.kind not in "iu" or not 1 <= count <= most:
        raise InvalidInput(f"count is a whole number from 1 to {most}.")
    return int(count)


def explain(form: Form, person: Any, item: int) -> list[tuple[int, float]]:
    """Return the part of each item of `person`, CSR float64 [1, items], in the score of `item`: the largest first."""
    parts = form.parts(person.indices, person.data, np.array([item], np.int32))[:, 0]
    parts_by_item = [(int(each), float(part)) for each, part in zip(person.indices, parts, strict=True) if each != item]
    return sorted(parts_by_item, key=lambda pair: (-abs(pair[1]), pair[0]))


def score(form: Form, people: Any) -> NDArray[Any]:
    """Return `X B` for `people`, CSR float64 [people, items]: floats [people, items] in the form's dtype."""
    scores = np.empty(people.shape, form.dtype)
    step = max(1, _BLOCK_SCORES // max(people.shape[1], 1))
    for first in range(0, people.shape[0], step):
        form.score_rows(people[first : first + step], scores[first : first + step])
    return scores
