"""What is asked of a solved form: one person's items and weights, checked; the scores of many people."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form
from assent.terms.errors import InvalidInput

#: How many scores are held at once when everybody is scored.
_BLOCK_SCORES: Final = 16_000_000
#: A list may be longer than a small catalogue, but not without end.
_COUNT_MAX: Final = 10_000


def item_numbers(items: Any, columns: int) -> NDArray[np.int32]:
    """Return item numbers as int32 [k]; raises `InvalidInput` for anything that is not an item of the model."""
    return _checked(items, columns)[0]


def _checked(items: Any, columns: int) -> tuple[NDArray[np.int32], bool]:
    """Return item numbers as int32 [k], and whether they ascend, each once; raises `InvalidInput`."""
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


def person(items: Any, weights: Any, columns: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return one person's items, int32 [k], and weights, float64 [k]; raises `InvalidInput`."""
    numbers, ascend = _checked(items, columns)
    amounts = np.ones(len(numbers)) if weights is None else np.asarray(weights, np.float64)
    # What is not a number is neither at least zero nor below infinity.
    given = weights is not None and len(amounts) > 0
    if amounts.shape != numbers.shape or (given and not (amounts.min() >= 0 and amounts.max() < np.inf)):
        raise InvalidInput("Weights are finite numbers from zero on, one for each item.")
    if not ascend and len(np.unique(numbers)) != len(numbers):
        raise InvalidInput("An item is given twice.", advice="Add up its weights and give it once.")
    return numbers, amounts


def list_length(count: Any, columns: int) -> int:
    """Return how long lists are to be; raises `InvalidInput` for anything that is not such a number."""
    most = max(columns, _COUNT_MAX)
    if np.ndim(count) or np.asarray(count).dtype.kind not in "iu" or not 1 <= count <= most:
        raise InvalidInput(f"count is a whole number from 1 to {most}.")
    return int(count)


def explain(form: Form, person: Any, item: int) -> list[tuple[int, float]]:
    """Return what each item of one person, a CSR [1, items], adds to the score of another: the largest first."""
    parts = form.parts(person.indices, person.data, np.array([item], np.int32))[:, 0]
    told = [(int(each), float(part)) for each, part in zip(person.indices, parts, strict=True) if each != item]
    return sorted(told, key=lambda pair: (-abs(pair[1]), pair[0]))


def score(form: Form, people: Any) -> NDArray[Any]:
    """Return `X B` for a CSR [people, items], dense in the type of the form."""
    scores = np.empty(people.shape, form.dtype)
    step = max(1, _BLOCK_SCORES // max(people.shape[1], 1))
    for first in range(0, people.shape[0], step):
        form.score_rows(people[first : first + step], scores[first : first + step])
    return scores
