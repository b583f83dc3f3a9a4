"""The people of the made shop: their tastes, what they answered when asked, and what they did."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from assent.demo.goods import Good
from assent.terms.clock import DAY_MS, to_text

#: Days of trade before the demo.
TRADE_DAYS = 90

_FIRST_NAMES = """
    mira theo noor ivo ana bela carl dana emil fay gus hana ines jon kaja lev mona nils olga pia
    quin rosa sam tara udo vera wim xenia yuri zoe alma bruno cleo dario edda finn greta hugo iris jana
""".split()  # noqa: SIM905 - names read better without quotes


@dataclass(frozen=True, slots=True)
class Answer:
    """One way of answering the shop's question, and the share of people who answer so."""

    name: str
    label: str
    share: float
    #: What the consent banner sends along with every event; None when the page never asked.
    preferences: Mapping[str, bool] | None
    #: Whether the browser sends `Sec-GPC: 1`.
    gpc: bool = False


ANSWERS = (
    Answer("both", "yes to personalize and learn", 0.58, {"personalize": True, "learn": True}),
    Answer("personalize", "yes to personalize only", 0.15, {"personalize": True, "learn": False}),
    Answer("learn", "yes to learn only", 0.10, {"personalize": False, "learn": True}),
    Answer("neither", "no to both", 0.09, {"personalize": False, "learn": False}),
    Answer("unasked", "was never asked", 0.05, None),
    Answer("gpc", "yes, but the browser sends Sec-GPC", 0.03, {"personalize": True, "learn": True}, gpc=True),
)


@dataclass(frozen=True, slots=True)
class Shopper:
    """One made person: the name the shop knows them by, their answer, and the themes they like best, first first."""

    user_id: str
    answer: Answer
    tastes: tuple[str, ...]
    sessions: int


#: The three whose story is told: they said yes to both, like the same corner of the shop, and come often.
_CAST = (
    ("mira-0000", ("coffee", "baking", "herbs")),
    ("theo-0001", ("coffee", "herbs", "vinyl")),
    ("noor-0002", ("baking", "coffee", "notebooks")),
)


def all_shoppers(goods: Sequence[Good], people: int, seed: int) -> list[Shopper]:
    """Return `people` made shoppers; the same for the same seed. The first three are the cast of the show."""
    draw = random.Random(seed)  # noqa: S311 - a made shop, repeatable on purpose
    shelves = _neighbours(goods)
    shoppers = [Shopper(name, ANSWERS[0], tastes, 9) for name, tastes in _CAST]
    for number in range(len(shoppers), people):
        answer = draw.choices(ANSWERS, [each.share for each in ANSWERS])[0]
        name = f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]}-{number:04d}"
        shoppers.append(
            Shopper(name, answer, _tastes(draw, shelves), draw.choices((1, 2, 3, 5, 8), (2, 4, 4, 3, 1))[0])
        )
    return shoppers


def events_of(shopper: Shopper, goods: Sequence[Good], now_ms: int, seed: int) -> Iterator[dict[str, Any]]:
    """Tell what one shopper did over the last `TRADE_DAYS` days, oldest first, as a tracking client would send it."""
    draw = random.Random(f"{seed}:{shopper.user_id}")  # noqa: S311 - a made shop, repeatable on purpose
    liked = {theme: [good for good in goods if good.theme == theme] for theme in shopper.tastes}
    starts = sorted(now_ms - int(draw.uniform(0.5, TRADE_DAYS) * DAY_MS) for _ in range(shopper.sessions))
    count = 0
    for start_ms in starts:
        shelf = liked[draw.choices(shopper.tastes, [6, 3, 1][: len(shopper.tastes)])[0]]
        at_ms = start_ms
        for name, properties in _session(draw, shelf, goods):
            at_ms += draw.randint(5_000, 90_000)
            yield _event(shopper, name, properties, f"{shopper.user_id}-{count:04d}", at_ms)
            count += 1


def _neighbours(goods: Sequence[Good]) -> dict[str, list[str]]:
    """Return each theme with the themes of its own department first."""
    home: dict[str, str] = {good.theme: good.department for good in goods}
    return {theme: [other for other in home if home[other] == home[theme] and other != theme] for theme in home}


def _tastes(draw: random.Random, shelves: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Draw a first taste (some themes are better loved than others), one from next door, and one from anywhere."""
    themes = list(shelves)
    first = draw.choices(themes, [1 / (3 + rank) for rank in range(len(themes))])[0]
    anywhere = draw.choice([theme for theme in themes if theme != first and theme not in shelves[first]])
    return (first, draw.choice(shelves[first]), anywhere)


def _session(draw: random.Random, shelf: Sequence[Good], goods: Sequence[Good]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tell one visit: some looks, mostly along the shelf, perhaps a basket, perhaps an order."""
    weights = list(accumulate(1 / (1 + place % 7) for place in range(len(shelf))))
    looks = [
        draw.choices(shelf, cum_weights=weights)[0] if draw.random() < 0.9 else draw.choice(goods)
        for _ in range(draw.randint(3, 7))
    ]
    seen = list(dict.fromkeys(looks))
    for good in seen:
        yield "Product Viewed", _product(good)
    basket = [good for good in seen if draw.random() < 0.45]
    for good in basket:
        yield "Product Added", _product(good) | {"quantity": 1}
    if basket and draw.random() < 0.7:
        products = [_product(good) | {"quantity": draw.choice((1, 1, 1, 2))} for good in basket]
        total = round(sum(good.price for good in basket), 2)
        yield "Order Completed", {"order_id": f"o-{draw.getrandbits(40):010x}", "total": total, "products": products}


def _product(good: Good) -> dict[str, Any]:
    """Return a product as Segment's e-commerce events name its fields."""
    return {"product_id": good.id, "name": good.name, "category": good.department, "price": good.price}


def _event(shopper: Shopper, name: str, properties: dict[str, Any], message_id: str, at_ms: int) -> dict[str, Any]:
    """Wrap one act in the envelope of a tracking client, with more in it than a shop should keep."""
    context: dict[str, Any] = {
        "ip": "203.0.113.7",
        "page": {"url": "https://shop.example/goods?campaign=spring&ref=friend", "path": "/goods"},
    }
    if shopper.answer.preferences is not None:
        context["consent"] = {"categoryPreferences": dict(shopper.answer.preferences)}
    return {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "userId": shopper.user_id,
        "timestamp": to_text(at_ms),
        "properties": properties,
        "context": context,
    }
