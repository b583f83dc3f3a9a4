"""Nothing is kept longer than the notices say."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from assent.engine import Engine
from assent.terms.limits import limit
from assent.testing import FixedClock
from assent.testing.shops import BOTH, acts, goods
from tests.tables import all_people

#: Consent to purposes that are kept for different times.
EVERY = {**BOTH, "measure": True}


def retention_days(engine: Engine, purpose: str) -> int:
    """Return what the notice of a purpose promises."""
    return next(row.retention_days for row in engine.purposes.all() if row.id == purpose)


@pytest.fixture
def shop(engine: Engine, clock: FixedClock) -> Engine:
    """Return a shop that knows Ana, who agreed to everything and looked at two teas."""
    engine.put_items(goods())
    engine.take_in(acts("ana", ["tea-1", "tea-2"], clock, consent=EVERY))
    engine.train()
    return engine


def test_within_its_time_nothing_goes(shop: Engine, clock: FixedClock):
    """A sweep on the last day keeps everything."""
    shop.decide("ana")
    clock.move(days=limit("consent_days") - 1)
    assert shop._rooms.retention.sweep() == 0
    assert len(shop.export("ana").events) == 2


def test_consent_that_ran_out_takes_its_data_along(shop: Engine, clock: FixedClock):
    """After a year without a new yes: an entry says so, records and the part in the sum are gone."""
    clock.move(days=limit("consent_days") + 1)
    assert shop._rooms.retention.sweep() == 1
    told = asdict(shop.export("ana"))
    assert told["events"] == []
    assert told["models"] in ({}, []) or not any(told["models"].values())
    assert {entry["action"] for entry in told["consents"]["entries"]} == {"granted", "expired"}
    assert shop.train().people == 0
    assert shop._rooms.retention.sweep() == 0
    assert shop.verify(rebuild=True).holds


@pytest.mark.parametrize("renewals", [2, 3])
def test_records_past_retention_go_though_consent_was_renewed(shop: Engine, clock: FixedClock, renewals: int):
    """Consent renewed each year keeps the new events; the old ones lose each purpose in its own time."""
    for _ in range(renewals):
        clock.move(days=limit("consent_days") - 1)
        shop.consent("ana", grant=list(EVERY))
    shop.take_in(acts("ana", ["book-1"], clock))
    days = renewals * (limit("consent_days") - 1)
    over = {purpose for purpose in EVERY if days > retention_days(shop, purpose)}
    shop.train()
    told = asdict(shop.export("ana"))
    assert over
    assert ("tea-1" in str(told["events"])) is (over != set(EVERY))
    assert ("tea-1" in str(told["history"])) is (over != set(EVERY))
    assert "book-1" in str(told["history"])
    assert ("tea-1" in str(told["models"])) is ("learn" not in over)
    assert shop.verify(rebuild=True).holds


def test_old_decisions_go(shop: Engine, clock: FixedClock):
    """Shown decisions are dropped after the time that the notice of `personalize` names."""
    shop.decide("ana")
    clock.move(days=retention_days(shop, "personalize") + 1)
    shop.decide(None)
    shop._rooms.retention.sweep()
    assert shop.server.metrics().stored["decisions"] == 1


def test_somebody_being_erased_is_left_to_the_erasure(shop: Engine, clock: FixedClock):
    """A sweep that meets a person without a key passes by."""
    clock.move(days=limit("consent_days") + 1)
    with shop._rooms.store.read() as session:
        person = next(iter(_everyone(session)))
    shop.erase("ana")
    assert not shop._rooms.store.write(lambda session: shop._rooms.retention._follow_up(session, person=person))


def _everyone(session):

    return all_people(session)
