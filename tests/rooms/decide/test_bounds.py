"""The bounds of a question, each on both sides, as numbers written here."""

from __future__ import annotations

from typing import Any

import pytest

from assent.decide import Question
from assent.terms.errors import InvalidInput


@pytest.mark.parametrize(
    ("fits", "over"),
    [
        ({"count": 1}, {"count": 0}),
        ({"count": 200}, {"count": 201}),
        ({"slot": "s"}, {"slot": ""}),
        ({"slot": "s" * 64}, {"slot": "s" * 65}),
        ({"exclude": [str(number) for number in range(5_000)]}, {"exclude": [str(number) for number in range(5_001)]}),
    ],
)
def test_a_question_at_its_bound_is_asked_and_one_past_it_is_refused(fits: dict[str, Any], over: dict[str, Any]):
    """Neither side of any bound is guessed."""
    Question.of(**fits)
    with pytest.raises(InvalidInput) as told:
        Question.of(**over)
    assert told.value.advice
