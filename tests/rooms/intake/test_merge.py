"""After a visitor is merged into a known person, every process drops the visitor with its next act."""

from __future__ import annotations

from pathlib import Path

from assent.engine import Engine
from assent.terms.clock import to_text
from assent.testing import FixedClock
from assent.testing.shops import acts
from tests.rooms.intake.shop import Shop

DEVICE = "6f1c-device"


def test_another_process_takes_in_what_the_device_sends_for_the_person(shop: Shop) -> None:
    """It has kept in memory who used the device before; that person is gone, and nothing is written for them."""
    other = shop.another()
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event(None, "mug", anonymousId=DEVICE))
    assert other.send(other.event(None, "jam", anonymousId=DEVICE)).stored == 1
    shop.send(shop.event("ann", "pen", anonymousId=DEVICE))
    assert other.send(other.event(None, "cup", anonymousId=DEVICE, context=None)).stored == 1
    assert {item for item, _, _ in shop.history("ann")} == {"tea", "mug", "jam", "pen", "cup"}
    assert shop.people() == 1


def test_another_process_decides_for_the_person_and_not_from_the_visitors_memory(
    engine: Engine, key_path: Path, clock: FixedClock
) -> None:
    """Opened records of the visitor are not used again: the device's next answer is made from all records."""
    visited = {**acts("x", ["mug"], clock)[0], "anonymousId": DEVICE}
    del visited["userId"]
    engine.put_items([{"id": each, "name": each} for each in ("tea", "mug", "jam", "pen")])
    engine.take_in([*acts("ann", ["tea"], clock), *acts("bob", ["tea", "mug", "jam"], clock), visited])
    engine.train()
    with Engine.open(engine._rooms.store.url, keys=key_path, clock=clock, create=False) as other:
        name = f"anonymous_id:{DEVICE}"
        assert "your own 1 action with 1 item" in other.decide(name).used
        joined = {**acts("ann", ["pen"], clock)[0], "anonymousId": DEVICE, "timestamp": to_text(clock.now_ms())}
        assert engine.take_in([joined]).stored == 1
        assert "your own 3 actions with 3 items" in other.decide(name).used


def test_the_visitors_key_leaves_the_memory(shop: Shop) -> None:
    """Their rows and their wrapped key are deleted; nothing that could open a copy of them stays unwrapped either."""
    shop.send(shop.event("ann", "tea"))
    shop.send(shop.event(None, "mug", anonymousId=DEVICE))
    visitor = shop.find(f"anonymous_id:{DEVICE}")
    assert shop.key(f"anonymous_id:{DEVICE}").person == visitor
    assert visitor in shop.vault._cached
    shop.send(shop.event("ann", "pen", anonymousId=DEVICE))
    assert visitor not in shop.vault._cached
