"""What a history says to the model: the same words for learning from a person and for scoring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.models.recommender.matrix import contributions_of_rows
from assent.models.recommender.recency import fresh_values
from assent.models.recommender.settings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assent.sums import Contribution


def tastes(
    histories: Sequence[NDArray[np.void]],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return what `taste` does for many histories at once, one after the other, and where each begins.

    The answer is `starts` int64 [histories + 1], items int32 and how fresh each is, int32. None of them is empty.
    """
    lengths = np.array([len(history) for history in histories], np.int64)
    entries = np.concatenate(histories)
    owners = np.repeat(np.arange(len(histories)), lengths)
    acts = (owners << 32) | entries["item"]
    order = np.lexsort((entries["day"], acts))
    acts, days, owners = acts[order], entries["day"][order], owners[order]
    newest = np.append(acts[1:] != acts[:-1], True)
    acts, days, owners = acts[newest], days[newest], owners[newest]
    starts = np.searchsorted(owners, np.arange(len(histories) + 1))
    last = np.maximum.reduceat(days, starts[:-1])
    return starts, (acts & 0xFFFF_FFFF).astype(np.int32), fresh_values(days, newest=last[owners].astype(np.int64))


def taste(history: NDArray[np.void]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the items of a history, int32 [k] ascending, and how fresh each is, int32 [k] from 1 to 4.

    `history` has HISTORY dtype, in any order. Whatever the act, an item counts once, as of its newest day.
    """
    newest_first = history[np.argsort(history["day"], kind="stable")[::-1]]
    items, places = np.unique(newest_first["item"], return_index=True)
    return items.astype(np.int32), fresh_values(newest_first["day"][places])


def contributions_of(
    histories: Sequence[NDArray[np.void]], weight_exponent: float = DEFAULT.weight_exponent
) -> list[Contribution | None]:
    """Return what each history (HISTORY dtype, [entries]) adds to the sum, in order; None for each that is empty."""
    full = [history for history in histories if len(history)]
    made = iter(contributions_of_rows(*tastes(full), weight_exponent=weight_exponent) if full else ())
    return [next(made) if len(history) else None for history in histories]
