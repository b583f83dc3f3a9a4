"""Step 8: seal what was shown and how it was chosen; without a permit the row names nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.decide.answer import Answer
from assent.store.topics.decisions import DecisionRow
from assent.vault import decision_number

if TYPE_CHECKING:
    from assent.decide.answer import Told
    from assent.decide.question import Question
    from assent.decide.results import Choice, ConsentStep, Moment


def record(
    question: Question, moment: Moment, consent: ConsentStep, choice: Choice, told: Told, decision_id: bytes
) -> Answer:
    """Return the answer with the row that has to be written before it is given; `decision_id` has 16 bytes."""
    plain = told.note(choice.propensity)
    person = None
    if consent.permit is not None and consent.person is not None and consent.person.key is not None:
        person = consent.person.person
        plain = consent.person.key.seal("decisions", decision_number(decision_id), plain)
    row = DecisionRow(decision_id, person, moment.now_ms, question.slot, plain)
    return Answer(decision_id.hex(), moment.at, told, row)
