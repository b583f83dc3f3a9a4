"""Step 0: find the person and ask whether their own history may choose what they see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.decide.results import ConsentStep
from assent.terms.permits import Refusal
from assent.terms.purposes import Personalize
from assent.terms.refusals import ERASING, NON_PROFILED, UNKNOWN_PERSON

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.decide.people_cache import PeopleCache
    from assent.decide.question import Question
    from assent.decide.results import Moment

#: Of nobody nothing is asked.
_NOBODY = ConsentStep(None, None, None)


def ask_consent(question: Question, moment: Moment, people: PeopleCache, ledger: Ledger) -> ConsentStep:
    """Return the person and a permit or a refusal; raises `InvalidInput` for a name that cannot be one."""
    if question.person is None:
        return _NOBODY
    people.follow(moment.versions)
    person = people.find(moment.session, question.person, moment.versions)
    if person is None:
        return ConsentStep(None, None, Refusal(Personalize, UNKNOWN_PERSON, ""))
    if question.mode == "non_profiled":
        return ConsentStep(person, None, Refusal(Personalize, NON_PROFILED, ""))
    signals = ledger.signals_of(gpc=question.gpc)
    answer = ledger.judge(
        person.person, Personalize, signals, status=person.status, state=person.said, epoch=moment.versions.epoch
    )
    if isinstance(answer, Refusal):
        return ConsentStep(person, None, answer)
    if person.key is None:
        return ConsentStep(person, None, Refusal(Personalize, ERASING, ""))
    return ConsentStep(person, answer, None)
