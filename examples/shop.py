"""A shop in thirty lines: goods, events under consent, a list with its reasons, a no, and a person who leaves.

Run it with `python examples/shop.py` in a clone, after `make setup`.
"""

import tempfile
from pathlib import Path

from assent import Engine

YES = {"consent": {"categoryPreferences": {"personalize": True, "learn": True}}}
GOODS = [{"id": "pot", "name": "Tea pot"}, {"id": "cup", "name": "Cup"}, {"id": "tin", "name": "Tea tin"}]
ORDERS = {"ann": ["pot", "cup"], "bo": ["pot", "cup", "tin"], "cem": ["cup", "tin"], "dee": ["pot", "tin"]}


def order(person: str, goods: list[str]) -> dict[str, object]:
    """Return an order in the shape of Segment's tracking API, with what the person agreed to."""
    products = [{"product_id": each} for each in goods]
    properties = {"products": products}
    return {"type": "track", "event": "Order Completed", "userId": person, "properties": properties, "context": YES}


with tempfile.TemporaryDirectory() as folder, Engine.open(str(Path(folder, "shop.db"))) as engine:
    engine.put_items(GOODS)
    print(engine.take_in([order(person, goods) for person, goods in ORDERS.items()]))
    print(f"Learned from {engine.train().people} people.")
    for suggestion in engine.decide("ann", count=3).items:
        print(f"{suggestion.rank} {suggestion.name}: {suggestion.text}")
    (receipt,) = engine.consent("ann", withdraw=["personalize"])
    print("After the no, personal:", engine.decide("ann").personal, "- receipt", receipt.payload["dct:identifier"])
    certificate = engine.erase("bo")
    print("bo is gone; the sum is now", certificate.body["facts"]["models"]["recommender"]["digest_after"][:16])
    print("Everything holds:", engine.verify(rebuild=True).holds)
