"""A small shop with a crowd of people, as events that a tracking client would send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assent.terms.clock import to_text

if TYPE_CHECKING:
    from assent.engine import Engine
    from assent.testing.clock import FixedClock

SHELVES = {"tea": 8, "garden": 8, "book": 8}
BOTH: Mapping[str, bool] = {"personalize": True, "learn": True}


def goods() -> list[dict[str, Any]]:
    """Return the catalog: eight items on each of three shelves."""
    return [
        {"id": f"{shelf}-{place}", "name": f"{shelf.title()} {place}", "price": 10.0 + place, "category": shelf}
        for shelf, count in SHELVES.items()
        for place in range(count)
    ]


def acts(
    person: str,
    items: Sequence[str],
    clock: FixedClock,
    *,
    event: str = "Product Viewed",
    consent: Mapping[str, bool] | None = BOTH,
) -> list[dict[str, Any]]:
    """Return one event for each item, an hour apart and ending an hour ago, under a consent signal (or none)."""
    now = clock.now_ms()
    return [
        {
            "type": "track",
            "event": event,
            "userId": person,
            "messageId": f"{person}-{event}-{item}-{now}",
            "timestamp": to_text(now - (len(items) - place) * 3_600_000),
            "properties": {"product_id": item},
            "context": {} if consent is None else {"consent": {"categoryPreferences": dict(consent)}},
        }
        for place, item in enumerate(items)
    ]


def crowd(engine: Engine, clock: FixedClock, people: int = 24) -> None:
    """Fill a shop: each person likes one shelf, views five of its items, and has agreed to all purposes."""
    engine.put_items(goods())
    shelves = list(SHELVES)
    events: list[dict[str, Any]] = []
    for number in range(people):
        shelf = shelves[number % len(shelves)]
        liked = [f"{shelf}-{(number + step) % SHELVES[shelf]}" for step in range(5)]
        events += acts(f"crowd-{number}", liked, clock)
    engine.take_in(events)
