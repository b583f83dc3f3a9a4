"""A withdrawal means the same by whichever way it comes, and rooms above hear of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assent.engine import Engine
from assent.learn import MODEL
from assent.store import Session
from assent.store.topics import records, sums
from assent.terms.ids import PersonId
from assent.terms.limits import limit
from assent.terms.purposes import Learn
from assent.testing import FixedClock
from assent.testing.shops import acts


def by_choice(engine: Engine, clock: FixedClock) -> None:
    """Withdraw through our own API."""
    engine.consent("ana", withdraw=["learn"])


def by_signal(engine: Engine, clock: FixedClock) -> None:
    """Say no in the consent that an event carries."""
    clock.move(days=1)
    engine.take_in(acts("ana", ["tea-3"], clock, consent={"personalize": True, "learn": False}))


def by_expiry(engine: Engine, clock: FixedClock) -> None:
    """Let the year of the consent pass, and sweep."""
    clock.move(days=limit("consent_days") + 1)
    engine._rooms.retention.sweep()


WAYS = [by_choice, by_signal, by_expiry]
Way = Callable[[Engine, FixedClock], None]


@pytest.fixture
def ana(engine: Engine, clock: FixedClock) -> Engine:
    """Return a shop that learned from Ana, and keeps one event that serves learning alone."""
    engine.take_in(acts("ana", ["tea-1", "tea-2"], clock))
    engine.take_in(acts("ana", ["tea-0"], clock, event="Order Completed", consent={"learn": True}))
    engine.train()
    return engine


def learning_serves(session: Session, person: PersonId) -> bool:
    """Tell whether anything of a person serves learning: their part in the sum, or a record."""
    kept = any(row.purposes & Learn.bit for row in records.of(session, person))
    return kept or sums.contribution(session, MODEL, person) is not None


@pytest.mark.parametrize("way", WAYS)
def test_every_way_tells_the_rooms_above(ana: Engine, clock: FixedClock, way: Way):
    """The hook is called once, in the job that withdraws, when models and records have let go of the person already."""
    told = []

    def hook(session: Session, person: PersonId, purposes) -> None:
        told.append((session.writable, person.hex(), "learn" in purposes, learning_serves(session, person)))

    person = ana.export("ana").person
    ana._rooms.withdrawals.on_withdrawn.append(hook)
    way(ana, clock)
    assert told == [(True, person, True, False)]
    assert ana.verify(rebuild=True).holds
    way(ana, clock)
    assert len(told) == (2 if way is by_choice else 1)  # who says no again is taken at their word again


@pytest.mark.parametrize("way", WAYS)
def test_a_hook_that_fails_leaves_everything_as_it_was(ana: Engine, clock: FixedClock, way: Way):
    """Either all rooms carry a withdrawal out or none does: the same job is undone, and may be tried again."""

    def hook(*_) -> None:
        raise LookupError

    ana._rooms.withdrawals.on_withdrawn.append(hook)
    with pytest.raises(LookupError):
        way(ana, clock)
    ana._rooms.withdrawals.on_withdrawn.remove(hook)
    assert ana.verify().holds
    told = ana.export("ana")
    assert told.models
    assert {entry.action for entry in told.consents.entries} == {"granted"}
    way(ana, clock)
    assert not ana.export("ana").models
    assert ana.verify(rebuild=True).holds


def test_purposes_that_keep_nothing_are_told_as_well(ana: Engine):
    """A purpose without records of its own ends for the rooms above too, and touches no model."""
    told = []
    ana._rooms.withdrawals.on_withdrawn.append(lambda _session, _person, purposes: told.append(list(purposes)))
    ana.consent("ana", grant=["message"])
    assert told == []
    ana.consent("ana", withdraw=["message"])
    assert told == [["message"]]
    assert ana.export("ana").models
