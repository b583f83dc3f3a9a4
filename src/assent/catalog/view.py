"""The whole catalog as arrays for `decide`: immutable, shared by all threads, made anew after a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, overload

import msgspec
import numpy as np

from assent.catalog.item import moment_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.store.topics.items import ItemRow

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ItemFacts(dict[str, Any]):
    """One item's public facts: a dict that many answers share, so it cannot be changed; `dict(facts)` can."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("An item's facts are shared by many answers.")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        """Pickle as a plain dict."""
        return dict, (dict(self),)

    def __copy__(self) -> ItemFacts:
        """Return the same facts: they never change."""
        return self

    def __deepcopy__(self, memo: object) -> ItemFacts:
        """Return the same facts: they never change."""
        return self


class CatalogFacts(Sequence[ItemFacts]):
    """Each item's public facts by number, read from JSON at the first use: most are never used."""

    __slots__ = ("_read", "_texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._read: dict[int, ItemFacts] = {}

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._texts)

    @overload
    def __getitem__(self, number: int) -> ItemFacts: ...
    @overload
    def __getitem__(self, number: slice) -> CatalogFacts: ...
    def __getitem__(self, number: int | slice) -> ItemFacts | CatalogFacts:
        """Return the facts of one item."""
        if isinstance(number, slice):
            return CatalogFacts(self._texts[number])
        facts = self._read.get(number)
        if facts is None:
            facts = self._read[number] = ItemFacts(_decode(self._texts[number]))
        return facts


class CatalogView:
    """Every item at one version of the catalog; `ids`, `names`, `facts` and the arrays are indexed by item number."""

    __slots__ = (
        "_first_seen",
        "_listed_ids",
        "_numbers",
        "_texts",
        "available",
        "facts",
        "ids",
        "listed",
        "names",
        "newness",
        "shown",
        "unlisted",
        "version",
    )

    def __init__(self, version: int = 0) -> None:
        """Make a view without items; `changed` returns a view with some."""
        self.version = version
        self.ids: list[str] = []
        self.names: list[str] = []
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._listed_ids: list[str] | None = None
        self._first_seen: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        #: True for items that are in the catalog, bool, shape (items,).
        self.listed: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        #: True for items that are available now, bool, shape (items,).
        self.available: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self._finish()

    def number(self, item: str) -> int | None:
        """Return an item's number, None for one that no event and no catalog ever named."""
        return self._numbers.get(item)

    def __len__(self) -> int:
        """Return how many items have a number, listed or not."""
        return len(self.ids)

    def listed_ids(self) -> list[str]:
        """Return the ids of the listed items, sorted; computed at the first call."""
        if self._listed_ids is None:
            self._listed_ids = sorted(self.ids[number] for number in np.flatnonzero(self.listed))
        return self._listed_ids

    def changed(self, rows: Sequence[ItemRow], version: int) -> CatalogView:
        """Return a view with these rows in place of the present ones; this view does not change."""
        view = CatalogView(version)
        size = max((row.number + 1 for row in rows), default=0)
        fresh = max(size - len(self.ids), 0)
        view.ids = [*self.ids, *[""] * fresh]
        view.names = [*self.names, *[""] * fresh]
        view._texts = [*self._texts, *["{}"] * fresh]
        view._numbers = self._numbers.copy()
        view._first_seen = np.concatenate([self._first_seen, np.zeros(fresh, dtype=np.int64)])
        view.listed = np.concatenate([self.listed, np.zeros(fresh, dtype=np.bool_)])
        view.available = np.concatenate([self.available, np.zeros(fresh, dtype=np.bool_)])
        view._put(rows)
        view._finish()
        return view

    def _put(self, rows: Iterable[ItemRow]) -> None:
        for row in rows:
            number = row.number
            self.ids[number] = row.id
            self.names[number] = row.name
            self._texts[number] = row.facts
            self._numbers[row.id] = number
            self._first_seen[number] = _since_ms(row)
            self.listed[number] = bool(row.listed)
            self.available[number] = bool(row.available)

    def _finish(self) -> None:
        self.facts = CatalogFacts(self._texts)
        self.unlisted = int(len(self.listed) - np.count_nonzero(self.listed))
        #: True for items that may be shown, listed and available, bool, shape (items,).
        self.shown: NDArray[np.bool_] = self.listed & self.available
        #: The rank of a listed item by age: above 0, below 1, newest largest; 0 for others. float32, shape (items,).
        self.newness: NDArray[np.float32] = np.zeros(len(self.listed), dtype=np.float32)
        listed = np.flatnonzero(self.listed)
        order = listed[np.argsort(self._first_seen[listed], kind="stable")]
        self.newness[order] = np.arange(1, len(order) + 1, dtype=np.float64) / (len(order) + 1)
        for array in (self.listed, self.available, self.shown, self.newness, self._first_seen):
            array.flags.writeable = False


def _since_ms(row: ItemRow) -> int:
    """Return the release of an item where the shop names one, else the time when it was first seen."""
    if '"released_at":' in row.facts:
        released = _decode(row.facts).get("released_at")
        released_ms = moment_ms(released) if isinstance(released, str) else None
        if released_ms is not None:
            return released_ms
    return row.first_seen_ms
