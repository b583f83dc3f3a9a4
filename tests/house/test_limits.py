"""The table of limits: positive, named with their unit, explained, and used."""

import re
from pathlib import Path

import pytest

from assent.terms import limits
from assent.terms.limits import LIMITS, limit

SOURCE = Path(__file__).parents[2] / "src" / "assent"


@pytest.mark.parametrize("row", LIMITS.values(), ids=lambda row: row.name)
def test_each_limit_is_named_and_explained(row):
    """The unit is part of the name, except where a count of the thing itself is meant, and the reason is a sentence."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", row.name)
    assert row.default > 0
    assert row.unit
    assert row.why.endswith(".")
    assert limit(row.name) == row.default


def test_each_limit_is_listed_once():
    """Two rows of one name would hide one of them; that a bound in the code is a row, `test_words` holds."""
    assert len(limits._ROWS) == len(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_is_used(name):
    """A limit that no room asks for protects nothing."""
    asked = f'limit("{name}")'
    assert any(asked in path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
