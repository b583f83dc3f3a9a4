"""From the moment an erasure is asked for, no process uses or keeps anything of the person, whatever it remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.engine import Engine
from assent.store.topics import people
from assent.terms.ids import Identifier, identifiers_named
from assent.testing import START_MS, FixedClock
from assent.testing.shops import acts
from tests.rooms.rights.house import House


@pytest.fixture
def other(engine: Engine, key_path: Path, clock: FixedClock) -> Iterator[Engine]:
    """Return the shop in a second process's place, which knows Ana: it has taken in her events and decided for her."""
    engine.put_items([{"id": each, "name": each} for each in ("tea", "mug", "jam", "pen")])
    engine.take_in([*acts("ana", ["tea", "mug"], clock), *acts("bob", ["tea", "mug", "jam"], clock)])
    engine.train()
    with Engine.open(engine._rooms.store.url, keys=key_path, clock=clock, create=False) as second:
        clock.move(seconds=60)
        assert second.take_in(acts("ana", ["tea"], clock)).stored == 1
        assert second.decide("ana").personal
        yield second


def test_nothing_of_them_is_used_or_kept_elsewhere_once_it_has_begun(engine: Engine, other: Engine, clock: FixedClock):
    """The first step alone, in one process: the other one refuses to decide from her history and to take in more."""
    blinds = engine._rooms.vault.blinds(identifiers_named("ana"))
    engine._rooms.store.write(lambda session: engine._rooms.rights._eraser.request(session, blinds))
    answer = other.decide("ana")
    assert not answer.personal
    assert answer.not_used[0].why == "The person is being erased."
    clock.move(seconds=60)
    taken = other.take_in(acts("ana", ["jam"], clock))
    assert (taken.stored, dict(taken.dropped)) == (0, {"suppressed": 1})
    assert other.decide("bob").personal


def test_only_a_yes_lets_an_erased_name_come_back(house: House):
    """Somebody else of the same bare name who withdraws brings no erased name back; a new yes by that name does."""
    erased = house.vault.blinds([Identifier("anonymous_id", "x")])
    house.store.write(lambda session: people.suppress(session, *erased[0], START_MS))
    house.choose("user_id:x", ["learn", "measure"])
    house.choose("x", withdraw=["learn"])
    with house.store.read() as session:
        assert people.suppressed(session, erased)
    house.choose("x", ["learn"])
    with house.store.read() as session:
        assert not people.suppressed(session, erased)
