"""Step 2: drop what rules forbid: unlisted, unavailable, excluded, on the page, or bought already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from assent.decide.question import Question
    from assent.decide.results import Candidates, Moment
    from assent.decide.step3_scores import Ranking


@dataclass(slots=True)
class Rules:
    """The items that may not be shown; asked down a ranking, because few items of a catalog ever come up."""

    #: Items that are unlisted or unavailable.
    hidden: AbstractSet[int]
    #: Items that this question leaves out, and those that this person bought.
    forbidden: frozenset[int]

    def first(self, ranking: Ranking, count: int, besides: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return the first `count` item numbers of a ranking that may be shown, `besides` those chosen already."""
        hidden, forbidden = self.hidden, self.forbidden.union(besides) if besides else self.forbidden
        head = ranking.kept.first[:count]
        # Most often nothing is dropped: two questions about all of them are quicker than two about each.
        if len(head) == count and forbidden.isdisjoint(head) and hidden.isdisjoint(head):
            return head
        chosen: list[int] = []
        for stretch in ranking:
            for item in stretch:
                if item not in forbidden and item not in hidden:
                    chosen.append(item)
                    if len(chosen) == count:
                        return tuple(chosen)
        return tuple(chosen)


def rules_of(question: Question, moment: Moment, candidates: Candidates) -> Rules:
    """Return the rules of one question; an excluded item that nobody knows forbids nothing."""
    forbidden: frozenset[int] = frozenset() if question.include_bought else candidates.history.bought
    if question.exclude:
        number_of = moment.view.number
        forbidden = forbidden | {number for item in question.exclude if (number := number_of(item)) is not None}
    if candidates.context is not None:
        forbidden = forbidden | {candidates.context}
    return Rules(moment.hidden, forbidden)
