"""The numbers of items: every item that an event names gets one, in the catalog or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from assent.store.topics import items
from assent.terms.clock import DAY_MS
from assent.terms.limits import limit

if TYPE_CHECKING:
    from assent.store import Session

#: The ids that may become items without being in the catalog: none of them looks like an e-mail address.
_NEW_ITEM = re.compile(rf"[A-Za-z0-9._:/ -]{{1,{limit('item_id_chars_max')}}}")
#: The number of cached numbers at which all are dropped.
CACHED_NUMBERS = 1_000_000


class ItemNumbers:
    """A cache of item numbers by id. A number never changes, so only a job that is undone makes the cache wrong."""

    def __init__(self) -> None:
        self.by_id: dict[str, int] = {}
        self._sights: dict[str, int] = {}
        #: A day, and the items that were seen on that day or after it: every job needs them.
        self._seen_on: tuple[int, set[str]] = (0, set())

    def drop(self) -> None:
        """Drop every number from memory; the next batch asks the store."""
        self.by_id.clear()
        self._sights.clear()
        self._seen_on = (0, set())

    def learn(self, session: Session, ids: set[str], at_ms: int) -> None:
        """Look up the numbers of these ids, and make unlisted items of those that may be items; inside a write job."""
        unknown = ids.difference(self.by_id)
        if not unknown:
            return
        new = [item for item in unknown if _NEW_ITEM.fullmatch(item)]
        self.by_id |= items.number_of(session, sorted(new), at_ms)
        odd = [item for item in unknown if item not in self.by_id and "\x00" not in item]
        if odd:
            self.by_id |= {item: row.number for item, row in items.by_ids(session, odd).items()}

    def seen_on(self, day: int) -> set[str]:
        """Return the items with a cached number that were seen on that day or after it.

        Every job calls this first; it drops the whole cache when that is full.
        """
        if len(self.by_id) >= CACHED_NUMBERS:
            self.drop()
        if self._seen_on[0] != day:
            self._seen_on = day, set()
        return self._seen_on[1]

    def unseen(self, ids: set[str], day: int) -> bool:
        """Tell whether any of these items was not seen on that day yet."""
        seen, sights = self.seen_on(day), self._sights
        seen.update(item for item in ids if sights.get(item, 0) >= day)
        return not ids <= seen

    def see(self, session: Session, days: Mapping[str, int]) -> None:
        """Write the day (since 1970) on which each item was seen last, once a day for each item; inside a write job."""
        sights, by_id = self._sights, self.by_id
        fresh = {item: day for item, day in days.items() if day > sights.get(item, 0) and item in by_id}
        if fresh:
            items.touch_seen(session, {by_id[item]: day * DAY_MS for item, day in fresh.items()})
            sights.update(fresh)
