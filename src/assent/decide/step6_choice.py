"""Step 6: choose the best by score, then the most popular; nothing is left to chance yet, so propensity is 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.decide.results import Choice

if TYPE_CHECKING:
    from assent.decide.question import Question
    from assent.decide.results import Moment
    from assent.decide.step2_rules import Rules
    from assent.decide.step3_scores import PopularityRanking, Ranking


def choose(
    question: Question, moment: Moment, rules: Rules, ranking: Ranking | None, popularity: PopularityRanking
) -> Choice:
    """Return what is shown."""
    items = () if ranking is None else rules.first(ranking, question.count)
    personal = len(items)
    if personal < question.count:
        items += rules.first(popularity.rank(moment), question.count - personal, besides=items)
    return Choice(items, personal, propensity=1.0)
