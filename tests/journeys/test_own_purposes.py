"""A purpose that the shop declared, from the banner to the export: kept, named and withdrawn like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assent import Engine
from assent.store import Store
from assent.store.topics import people, records
from assent.terms.errors import InvalidInput, UnknownPurpose
from assent.terms.ids import identifiers_named
from assent.terms.settings import Settings
from assent.testing import FixedClock
from assent.testing.shops import acts, goods
from tests.rooms.consent.own import purpose, recipients

Open = Callable[..., Engine]


@pytest.fixture
def opening(store_url: str, tmp_path: Path) -> Iterator[Open]:
    """Return what opens an engine on one store with a purposes file of this content."""
    opened: list[Engine] = []

    def open_engine(content: bytes | None) -> Engine:
        path = tmp_path / f"purposes-{len(opened)}.toml"
        if content is not None:
            path.write_bytes(content)
        settings = Settings(purposes_file="" if content is None else str(path))
        opened.append(Engine.open(store_url, keys=tmp_path / "shop.key", clock=FixedClock(), settings=settings))
        return opened[-1]

    yield open_engine
    for engine in opened:
        engine.close()


FITTING = purpose("fitting", 'keeps_events = true\naliases = ["fitting room"]')


def uses(engine: Engine, person: str) -> list[tuple[str, list[str]]]:
    """Return the items of somebody's history, each with what it may be used for."""
    return [(entry["item"], entry["purposes"]) for entry in engine.export(person).history]


def kept(engine: Engine, events: list[dict[str, Any]]) -> int:
    """Take events in; return how many were stored."""
    return engine.take_in(events).stored


def test_a_purpose_of_the_shop_is_kept_exported_and_withdrawn(opening: Open, store_url: str) -> None:
    """A banner's category grants it, events serve it alone, and a withdrawal takes them out."""
    engine, clock = opening(FITTING), FixedClock()
    engine.put_items(goods())
    assert kept(engine, acts("ann", ["tea-1"], clock, consent={"Fitting Room": True})) == 1
    assert kept(engine, acts("ann", ["tea-2"], clock, consent={"fitting": True, "learn": True})) == 1
    assert uses(engine, "ann") == [("tea-1", ["fitting"]), ("tea-2", ["learn", "fitting"])]
    assert {event["purposes"][-1] for event in engine.export("ann").events} == {"fitting"}
    assert not engine.decide("ann").personal
    engine.consent("ann", withdraw=["fitting"])
    assert uses(engine, "ann") == [("tea-2", ["learn"])]
    assert kept(engine, acts("ann", ["tea-3"], clock, consent={"learn": False, "fitting room": False})) == 0
    assert uses(engine, "ann") == []
    with Store.open(store_url) as store, store.read() as session:
        assert records.count(session) == 0


def test_every_engine_reads_the_same_bits(opening: Open) -> None:
    """Another process, whose file has another order and more in it, tells the same of what was kept."""
    opening(FITTING + purpose("room"))
    engine = opening(purpose("attic") + purpose("room") + FITTING)
    engine.put_items(goods())
    assert kept(engine, acts("ann", ["tea-1"], FixedClock(), consent={"room": True, "attic": True})) == 1
    assert uses(opening(FITTING + purpose("attic") + purpose("room")), "ann") == [("tea-1", ["room", "attic"])]


def test_a_visitor_brings_such_purposes_along(opening: Open) -> None:
    """What was kept under a bit above the eighth moves with a visitor who turns out to be somebody."""
    names = [f"own_{number}" for number in range(7)]
    engine, clock = opening(b"".join(map(purpose, names))), FixedClock()
    engine.put_items(goods())
    event = acts("x", ["tea-1"], clock, consent=dict.fromkeys(names, True))[0]
    anonymous = {**{key: value for key, value in event.items() if key != "userId"}, "anonymousId": "visitor"}
    assert kept(engine, [anonymous]) == 1
    known = {
        "type": "identify",
        "userId": "ann",
        "anonymousId": "visitor",
        "messageId": "m",
        "context": event["context"],
    }
    engine.take_in([known])
    assert uses(engine, "ann") == [("tea-1", names)]


def test_a_recipient_that_keeps_events_is_stopped_by_gpc(store_url: str, opening: Open, tmp_path: Path) -> None:
    """`Sec-GPC: 1` refuses what is shared, whatever the event's categories say."""
    engine, clock = opening(recipients("keeps_events = true", acme="Acme")), FixedClock()
    engine.put_items(goods())
    event = acts("ann", ["tea-1"], clock, consent={"share:acme": True})
    assert engine.take_in(event, gpc=True).stored == 0
    assert kept(engine, event) == 1
    assert uses(engine, "ann") == [("tea-1", ["share:acme"])]


def test_a_purpose_that_left_the_file_opens_nothing(opening: Open) -> None:
    """Its consents count for nothing and nothing more is kept; what was kept is still named to the person."""
    engine = opening(FITTING)
    engine.put_items(goods())
    kept(engine, acts("ann", ["tea-1"], FixedClock(), consent={"fitting": True}))
    later = opening(None)
    assert kept(later, acts("ann", ["tea-2"], FixedClock(), consent={"fitting": True})) == 0
    assert uses(later, "ann") == [("tea-1", ["fitting"])]
    with pytest.raises(UnknownPurpose):
        later.consent("ann", grant=["fitting"])


def test_a_mistake_in_the_file_stops_the_opening(opening: Open) -> None:
    """An engine does not open with less than the shop declared."""
    with pytest.raises(InvalidInput, match="The purposes file cannot be used"):
        opening(b"[[purpose]]\n")


def test_an_engine_without_the_file_leaves_such_consents_alone(opening: Open) -> None:
    """A training where the file is not named ends consents of purposes that are declared there, and no others."""
    engine = opening(FITTING)
    engine.consent("ann", grant=["learn", "fitting"], evidence="by telephone")
    plain = opening(None)
    with plain._rooms.store.read() as session:
        ann = plain._rooms.vault.blinds(identifiers_named("ann"))
        person = people.load(session, ann).person
    plain._rooms.clock.move(days=366)
    made = plain._rooms.store.write(lambda session: plain._rooms.ledger.lapse(session, person))
    assert [(entry.purpose, entry.action) for entry in made] == [("learn", "expired")]
