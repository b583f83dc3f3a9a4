"""`engine.catalog`: the shop's goods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from assent.decide import Question
from assent.engine.acts import Act

if TYPE_CHECKING:
    from assent.engine.rooms import Rooms
    from assent.terms.answers.catalog import Item, ItemPage
    from assent.terms.answers.decisions import Suggestion

ACTS = (Act.of("items", "server"),)


class CatalogActs:
    """Adds, reads, lists and removes items, and finds similar ones."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def put(self, items: Iterable[Mapping[str, Any]] | bytes) -> int:
        """Add or replace items; return how many. Raises `InvalidInput` naming the wrong one, `TooLarge`."""
        return self._rooms.catalog.put(items)

    def get(self, item: str) -> Item:
        """Return one listed item; raises `NotFound`."""
        return self._rooms.catalog.get(item)

    def page(self, after: str | None = None, count: int = 100) -> ItemPage:
        """Return up to `count` listed items in order of their ids, starting after the id `after`.

        Raises `InvalidInput` unless `count` is from 1 to 1,000.
        """
        return self._rooms.catalog.page(after, count)

    def drop(self, item: str) -> None:
        """Remove one item from the catalog, so that it is no longer suggested; raises `NotFound`."""
        self._rooms.catalog.drop(item)

    def similar(self, item: str, count: int = 10) -> list[Suggestion]:
        """Return the items most similar to one, best first; raises `NotFound` for an item not in the catalog."""
        rooms = self._rooms
        rooms.catalog.get(item)
        question = Question.of(slot="similar", count=count, context={"item": item}, mode="non_profiled")
        with rooms.store.read() as session:
            return list(rooms.decider.decide(session, question).decision.items)
