"""`engine.decisions`: many questions at once."""

import pytest

from assent import InvalidInput
from assent.engine import Question


def test_questions_are_answered_in_their_order_and_recorded_together(shop):
    """The same answers as one by one; when the future resolves each has its record."""
    answers, recorded = shop.decisions.submit([Question.of(person="ana", count=3), Question.of(count=3)])
    recorded.result(timeout=60)
    mine, anybodys = (answer.decision for answer in answers)
    assert mine.personal
    assert [each.item for each in mine.items] == [each.item for each in shop.decide("ana", count=3).items]
    assert not anybodys.personal
    kept = {each["decision"] for each in shop.export("ana").decisions}
    assert mine.decision_id in kept
    assert anybodys.decision_id not in kept


def test_a_wrong_question_stands_in_its_own_place(shop):
    """One name that cannot be does not keep the other question from its answer."""
    answers, recorded = shop.decisions.submit([Question.of(person="\x00"), Question.of(count=3)])
    recorded.result(timeout=60)
    assert isinstance(answers[0], InvalidInput)
    assert len(answers[1].decision.items) == 3


def test_each_decision_is_counted(shop):
    """Two questions are two acts."""
    shop.decisions.submit([Question.of(), Question.of()])[1].result(timeout=60)
    assert shop.server.metrics().acts["decide"] == 2


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 10_000}, {"mode": "secret"}, {"slot": ""}])
def test_a_question_that_cannot_be_is_refused_at_the_door(wrong):
    """Count, mode and slot are checked before anything is asked."""
    with pytest.raises(InvalidInput) as caught:
        Question.of(**wrong)
    assert caught.value.advice
