"""Answers about the catalog: items and pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One listed item: its name, its other facts as the shop gave them, and when it was first and last seen."""

    id: str
    name: str
    available: bool
    facts: Mapping[str, Any]
    first_seen: str
    last_seen: str

    def fields(self) -> dict[str, Any]:
        """Return the item as one flat JSON object, as it was put in."""
        return {
            "id": self.id,
            "name": self.name,
            "available": self.available,
            **self.facts,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Items in the order of their ids; `next` is what to give as `after` for the page that follows, or None."""

    items: Sequence[Item]
    next: str | None
