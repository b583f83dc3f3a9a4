"""The catalog: its items are put, read, paged and unlisted here, and `decide` reads them through a view."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assent.catalog.item import Item, facts_of, moment_ms, read_items
from assent.catalog.view import CatalogView
from assent.store.topics import items
from assent.store.topics.items import NO_NUMBER, ItemRow
from assent.terms.answers import catalog as answers
from assent.terms.clock import to_text
from assent.terms.errors import InvalidInput, NotFound
from assent.terms.limits import limit

if TYPE_CHECKING:
    from assent.store import Session, Store
    from assent.terms.clock import Clock


_PAGE_ITEMS_MAX = limit("page_items_max")


class Catalog:
    """The items of the shop. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Start with an empty view; the first `view` fills it."""
        self._store = store
        self._clock = clock
        self._view = CatalogView()
        self._renewing = threading.Lock()

    def put(self, given: Iterable[Mapping[str, Any]] | bytes) -> int:
        """Add or replace items, all or none; return how many.

        `given`: mappings, or bytes that are a JSON array, one object, `{"items": [...]}` or NDJSON. Raises
        `InvalidInput` that names the item or line and the field, `TooLarge`.
        """
        now_ms = self._clock.now_ms()
        rows = [row_of(item, now_ms, now_ms) for item in read_items(given)]
        self._store.write(lambda session: items.put_many(session, rows))
        return len(rows)

    def get(self, item: str) -> answers.Item:
        """Return all facts of one listed item; raises `NotFound`."""
        with self._store.read() as session:
            row = items.get(session, item)
        if row is None or not row.listed:
            raise _no_such_item()
        return facts_of_row(row)

    def page(self, after: str | None = None, count: int = 100) -> answers.ItemPage:
        """Return up to `count` listed items in the order of their ids, beginning after the id `after`.

        Raises `InvalidInput` unless `count` is from 1 to 1,000.
        """
        if not 1 <= count <= _PAGE_ITEMS_MAX:
            raise InvalidInput(f"count is {count}.", advice=f"Ask for 1 to {_PAGE_ITEMS_MAX} items.")
        with self._store.read() as session:
            ids = self.view(session).listed_ids()
            start = 0 if after is None else bisect_right(ids, after)
            wanted = ids[start : start + count]
            rows = items.by_ids(session, wanted)
        found = [facts_of_row(rows[item]) for item in wanted if item in rows and rows[item].listed]
        return answers.ItemPage(found, found[-1].id if len(found) == count else None)

    def drop(self, item: str) -> None:
        """Unlist an item: it keeps its number and is not suggested any more. Raises `NotFound`."""
        if not self._store.write(lambda session: items.delete(session, item)):
            raise _no_such_item()

    def view(self, session: Session, version: int | None = None) -> CatalogView:
        """Return the whole catalog as `session` sees it, or as it was a moment later; cheap when nothing changed.

        `version`: the catalog's version, if the same session has read it already.
        """
        view = self._view
        if version is None:
            version = items.version(session)
        if version <= view.version:
            return view
        with self._renewing:
            view = self._view
            if version > view.version:
                view = self._view = view.changed(items.changed_after(session, view.version), version)
        return view


def row_of(item: Item, first_ms: int, last_ms: int) -> ItemRow:
    """Return the row of a listed item; the times (milliseconds since the epoch) count where it names none itself."""
    return ItemRow(
        number=NO_NUMBER,
        id=item.id,
        listed=1,
        available=int(item.available),
        name=item.name.strip(),
        facts=facts_of(item),
        first_seen_ms=first_ms if item.first_seen is None else moment_ms(item.first_seen) or 0,
        last_seen_ms=last_ms if item.last_seen is None else moment_ms(item.last_seen) or 0,
    )


def facts_of_row(row: ItemRow) -> answers.Item:
    """Return the answer about an item: the fields it was put with, and when it was first and last seen."""
    return answers.Item(
        id=row.id,
        name=row.name,
        available=bool(row.available),
        facts=msgspec.json.decode(row.facts),
        first_seen=to_text(row.first_seen_ms),
        last_seen=to_text(row.last_seen_ms),
    )


def _no_such_item() -> NotFound:
    return NotFound(
        "No item of that id is in the catalog.",
        advice="Ask for a page of the catalog: it lists the ids that exist.",
    )
