"""Recency: whole-number values of actions that fall with their age, measured against the person's newest action."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput

#: The value of a person's newest items; the oldest have one.
FRESHEST: Final = 4


def fresh_values(
    days: NDArray[Any], half_life_days: float = 60.0, *, newest: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """Return a whole number from 1 to 4 for each of a person's items, int32 [k], given the day of its newest action.

    `days` whole numbers [k]; `newest` whole numbers [k] for items of several people: the day of each one's newest
    action. A pair of items counts half as much for every `half_life_days` that both are older than the person's newest
    action (so each item counts a square root of that), rounded to quarters and never zero. It depends on no other
    person and on no clock, so the same history always gives the same contribution. Raises `InvalidInput`.
    """
    numbers = np.asarray(days)
    if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu") or not half_life_days > 0:
        raise InvalidInput("Days are a one-dimensional array of whole numbers, and a half-life is above zero.")
    if not len(numbers):
        return np.empty(0, np.int32)
    ages = ((numbers.max() if newest is None else newest) - numbers.astype(np.int64)).astype(np.float64)
    values: NDArray[np.int32] = np.maximum(np.rint(FRESHEST * np.exp2(-ages / (2.0 * half_life_days))), 1).astype(
        np.int32
    )
    return values
