"""The bounds of a choice and of keeping, as numbers written here."""

from __future__ import annotations

import pytest

from assent.engine import Engine
from assent.terms.clock import to_text
from assent.terms.errors import InvalidInput
from assent.testing import FixedClock
from assent.testing.shops import acts
from tests.rooms.rights.house import House


def test_evidence_has_at_most_two_thousand_characters(house: House):
    """At the bound it is sealed with the consent; one more, and nothing is recorded."""
    assert len(house.choose("ann", ["learn"], evidence="x" * 2_000)) == 1
    with pytest.raises(InvalidInput):
        house.choose("ann", ["personalize"], evidence="x" * 2_001)
    with house.store.read() as session:
        assert set(house.ledger.states(session, house.find("ann")[0])) == {"learn"}


def test_what_serves_suggestions_is_kept_for_730_days(engine: Engine, clock: FixedClock):
    """However often the consent is renewed, an event serves up to its last day and is gone a millisecond later."""
    begun_ms = clock.at_ms
    (event,) = acts("ana", ["tea"], clock, consent={"personalize": True})
    engine.take_in([{**event, "timestamp": to_text(begun_ms)}])
    for _ in range(2):
        clock.move(days=364)
        engine.consent("ana", grant=["personalize"])
    clock.at_ms = begun_ms + 730 * 86_400_000
    engine._rooms.retention.sweep()
    assert len(engine.export("ana").events) == len(engine.export("ana").history) == 1
    clock.at_ms += 1
    engine._rooms.retention.sweep()
    assert engine.export("ana").events == engine.export("ana").history == []
