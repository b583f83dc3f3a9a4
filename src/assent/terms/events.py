"""Actions of a person on an item, and their event names (Segment's e-commerce names)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of action: its code in a sealed history, its event name, and its name in reasons."""

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
#: The bits of an entry's `act` that are the action; the bits above are the purposes.
ACTION_BITS = 4
ACTION_BY_EVENT = {action.event: action for action in ACTIONS}
ACTION_BY_CODE = {action.code: action for action in ACTIONS}
BOUGHT = 5
#: The action on the item of the present page; it has no event.
ON_PAGE: Final = "on_page"
