"""A small shop for the journeys: two shelves, a crowd that likes one or the other, and somebody between them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from assent.terms.clock import to_text

Json = dict[str, Any]

TEA = [f"tea-{number}" for number in range(1, 7)]
GARDEN = [f"garden-{number}" for number in range(1, 7)]
GOODS = [
    {"id": item, "name": item.replace("-", " ").title(), "price": 5.0 + place, "currency": "EUR", "available": True}
    for place, item in enumerate(TEA + GARDEN)
]
BOTH = {"personalize": True, "learn": True}
ONLY_PERSONALIZE = {"personalize": True, "learn": False}
ONLY_LEARN = {"personalize": False, "learn": True}
NEITHER = {"personalize": False, "learn": False}
#: One moment for every surface: two days before the tests began.
BEGAN_MS = time.time_ns() // 1_000_000 - 2 * 86_400_000


def event(person: str, item: str, number: int, consent: Json | None, name: str = "Product Viewed") -> Json:
    """Return one event of a tracking client; `number` orders a person's events and names the message."""
    context: Json = {"ip": "203.0.113.7", "page": {"url": "https://shop.example/p?coupon=SECRET"}}
    if consent is not None:
        context["consent"] = {"categoryPreferences": consent}
    product = {"product_id": item, "price": 5.0}
    return {
        "type": "track",
        "event": name,
        "messageId": f"{person}-{number}",
        "userId": person,
        "timestamp": to_text(BEGAN_MS + number * 60_000),
        "properties": {"order_id": f"o-{number}", "products": [product]} if name == "Order Completed" else product,
        "context": context,
    }


def views(person: str, items: Sequence[str], consent: Json | None = None, first: int = 0) -> list[Json]:
    """Return one look at each item, in order."""
    return [event(person, item, first + place, consent) for place, item in enumerate(items)]


def crowd() -> list[Json]:
    """Return what eight people did who agreed to everything; popularity within each shelf falls with the number."""
    events = []
    for number in range(8):
        shelf = TEA if number < 5 else GARDEN
        events += views(f"crowd-{number}", shelf[: 6 - number % 5 // 2] if number % 2 else shelf[number % 3 :], BOTH)
    return events


def ana(consent: Json | None = BOTH) -> list[Json]:
    """Return what Ana did: looked at three teas and bought one of them."""
    bought = event("ana", TEA[1], 9, consent, "Order Completed")
    return [*views("ana", TEA[:3], consent), bought]
