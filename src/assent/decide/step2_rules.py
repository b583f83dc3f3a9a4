"""Step 2: drop what rules forbid: unlisted, unavailable, excluded, on the page, or bought already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    import numpy as np
    from numpy.typing import NDArray

    from assent.decide.question import Question
    from assent.decide.results import Candidates, Moment


@dataclass(slots=True)
class Rules:
    """What may be shown; asked item by item down a ranking, because few items of a catalogue ever come up."""

    #: Whether an item is listed and available, bool [items].
    shown: NDArray[np.bool_]
    #: Items that this question leaves out.
    left_out: AbstractSet[int]
    #: Items that this person bought.
    bought: AbstractSet[int]

    def first(self, ranking: Iterable[int], count: int, besides: AbstractSet[int] = frozenset()) -> list[int]:
        """Return the first `count` item numbers of a ranking that may be shown, `besides` those chosen already."""
        shown, left_out, bought = self.shown, self.left_out, self.bought
        chosen: list[int] = []
        for item in ranking:
            if item not in left_out and item not in bought and item not in besides and shown[item]:
                chosen.append(item)
                if len(chosen) == count:
                    break
        return chosen


def rules_of(question: Question, moment: Moment, candidates: Candidates) -> Rules:
    """Return the rules of one question; an excluded item that nobody knows forbids nothing."""
    view = moment.view
    left_out: set[int] = set()
    if question.exclude:
        left_out = {number for item in question.exclude if (number := view.number(item)) is not None}
    if candidates.context is not None:
        left_out.add(candidates.context)
    return Rules(view.shown, left_out, frozenset() if question.include_bought else candidates.history.bought)
