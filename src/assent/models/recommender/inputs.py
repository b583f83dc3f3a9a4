"""Histories as inputs of the recommender, for the contribution of a person and for their scores."""

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


def inputs_of(
    histories: Sequence[NDArray[np.void]],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return `input_of` of many histories at once: `starts` int64 [histories + 1], items and values int32 [entries].

    Histories have HISTORY dtype, [any], and none is empty. The input of history h is at `starts[h]` to `starts[h + 1]`.
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


def input_of(history: NDArray[np.void]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the items of a history, int32 [k] ascending, and their values, int32 [k] from 1 to 4 by age.

    `history` has HISTORY dtype, [entries], in any order. An item counts once for all actions, by its newest day.
    """
    newest_first = history[np.argsort(history["day"], kind="stable")[::-1]]
    items, places = np.unique(newest_first["item"], return_index=True)
    return items.astype(np.int32), fresh_values(newest_first["day"][places])


def contributions_of(
    histories: Sequence[NDArray[np.void]], weight_exponent: float = DEFAULT.weight_exponent
) -> list[Contribution | None]:
    """Return the contribution of each history (HISTORY dtype, [entries]), in order; None for an empty one."""
    full = [history for history in histories if len(history)]
    made = iter(contributions_of_rows(*inputs_of(full), weight_exponent=weight_exponent) if full else ())
    return [next(made) if len(history) else None for history in histories]
