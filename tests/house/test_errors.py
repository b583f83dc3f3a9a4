"""The error tree: one code, one status and one piece of advice each."""

import re

import pytest

from assent.terms.errors import AssentError
from docs.render.vocabulary import every_error

ERRORS = list(every_error())


def test_codes_are_unique():
    """A code names one error."""
    codes = [each.code for each in ERRORS]
    assert len(codes) == len(set(codes))
    assert AssentError.code not in codes


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_each_error_says_what_it_is_and_what_to_do(error):
    """Code, status, title and advice are there, and the advice is a sentence."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert 400 <= error.status < 600
    assert error.title
    assert error.title != AssentError.title
    assert error.default_advice.endswith(".")
    assert "code" in vars(error)
    assert error.__doc__


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_each_error_carries_its_advice(error):
    """What is raised says what is wrong and then what to do, and the caller may say it better."""
    assert str(error("It is so.")) == f"It is so. {error.default_advice}"
    assert str(error("It is so.", advice="Do this.")) == "It is so. Do this."
