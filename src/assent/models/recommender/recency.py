"""How much an act still counts: whole numbers that fall with its age, measured against the person's own newest act."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput

#: What a person's newest items count; the oldest count one.
FRESHEST: Final = 4


def fresh_values(
    days: NDArray[Any], half_life_days: float = 60.0, *, newest: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """Return a whole number from 1 to 4 for each of a person's items, int32 [k], given the day of its newest act.

    `days` whole numbers [k]; `newest` whole numbers [k] where they are of several people: the day of each one's newest
    act. A pair of items counts half as much for every `half_life_days` that both are older than
    the person's newest act (so each item counts a square root of that), rounded to quarters and never nothing. It
    depends on nobody else and on no clock, so the same history always gives the same contribution. Raises
    `InvalidInput`.
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
