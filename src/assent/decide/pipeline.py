"""One decision in nine numbered steps; the docs and the tests use the same numbers.

0 ask consent, 1 gather candidates, 2 drop what rules forbid, 3 score, 6 choose, 7 explain, 8 record.
Steps 4 (guard) and 5 (fair exposure) have no rules in this version, so no code stands in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.decide.step0_consent import ask_consent
from assent.decide.step1_candidates import gather
from assent.decide.step2_rules import rules_of
from assent.decide.step3_scores import score
from assent.decide.step6_choice import choose
from assent.decide.step7_reasons import tell
from assent.decide.step8_record import record

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.decide.answer import Answer
    from assent.decide.people_cache import PeopleCache
    from assent.decide.question import Question
    from assent.decide.results import Moment
    from assent.decide.step3_scores import PopularityRanking


def answer(
    question: Question,
    moment: Moment,
    people: PeopleCache,
    ledger: Ledger,
    popularity: PopularityRanking,
    *,
    language: str,
    decision_id: bytes,
) -> Answer:
    """Answer one question about one moment; raises `InvalidInput` for a name that cannot be one, `Corrupt`.

    Scores (3) and the words for a list (7) may be kept from an earlier question; rules (2) and the choice (6) never.
    """
    consent = ask_consent(question, moment, people, ledger)  # 0
    candidates = gather(question, moment, consent, people)  # 1
    rules = rules_of(question, moment, candidates)  # 2
    ranking = score(moment, candidates)  # 3
    choice = choose(question, moment, rules, ranking, popularity)  # 6
    told = tell(question, moment, consent, candidates, choice, language)  # 7
    return record(question, moment, consent, choice, told, decision_id)  # 8
