"""What a person can do with an item, and the event names that say so (Segment's e-commerce names)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of act: its code in a sealed history, the event that tells it, and the verb a reason uses."""

    code: int
    event: str
    verb: str


ACTIONS = (
    Action(1, "Product Viewed", "viewed"),
    Action(2, "Product Clicked", "looked at"),
    Action(3, "Product Added to Wishlist", "wished for"),
    Action(4, "Product Added", "put in the basket"),
    Action(5, "Order Completed", "bought"),
)
ACTION_BY_EVENT = {action.event: action for action in ACTIONS}
ACTION_BY_CODE = {action.code: action for action in ACTIONS}
BOUGHT = 5
