"""The bounds of a choice, as numbers written here."""

from __future__ import annotations

import pytest

from assent.terms.errors import InvalidInput
from tests.rooms.rights.house import House


def test_evidence_has_at_most_two_thousand_characters(house: House):
    """At the bound it is sealed with the consent; one more, and nothing is recorded."""
    assert len(house.choose("ann", ["learn"], evidence="x" * 2_000)) == 1
    with pytest.raises(InvalidInput):
        house.choose("ann", ["personalize"], evidence="x" * 2_001)
    with house.store.read() as session:
        assert set(house.ledger.states(session, house.find("ann")[0])) == {"learn"}
