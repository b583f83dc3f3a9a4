"""What a history says to the model: the same words for learning from a person and for scoring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.models.recommender import fresh_values

if TYPE_CHECKING:
    from numpy.typing import NDArray


def taste(history: NDArray[np.void]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the items of a history, int32 [k] ascending, and how fresh each is, int32 [k] from 1 to 4.

    `history` has HISTORY dtype, in any order. Whatever the act, an item counts once, as of its newest day.
    """
    newest_first = history[np.argsort(history["day"], kind="stable")[::-1]]
    items, places = np.unique(newest_first["item"], return_index=True)
    return items.astype(np.int32), fresh_values(newest_first["day"][places])
