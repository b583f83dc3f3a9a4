"""What a person can do with an item, and the event names that say so (Segment's e-commerce names)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of act: its code in a sealed history, the event that tells it, and the name that reasons carry."""

    code: int
    event: str
    name: str


ACTIONS = (
    Action(1, "Product Viewed", "viewed"),
    Action(2, "Product Clicked", "clicked"),
    Action(3, "Product Added to Wishlist", "wished"),
    Action(4, "Product Added", "added"),
    Action(5, "Order Completed", "bought"),
)
#: How many bits of a history entry's act hold the action; the purposes stand above them.
ACTION_BITS = 4
ACTION_BY_EVENT = {action.event: action for action in ACTIONS}
ACTION_BY_CODE = {action.code: action for action in ACTIONS}
BOUGHT = 5
#: What the person does with the item on the page right now; no event tells it.
ON_PAGE: Final = "on_page"
