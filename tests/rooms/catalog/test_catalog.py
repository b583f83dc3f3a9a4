"""The catalog: items put in every form, looked up, paged, taken off; and the view that deciding reads."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.catalog import Catalog, CatalogView
from assent.catalog.item import read_items
from assent.store import Store
from assent.store.topics import items
from assent.store.topics.items import ItemRow
from assent.terms.clock import to_text
from assent.terms.errors import AssentError, InvalidInput, NotFound, TooLarge
from assent.terms.limits import limit
from assent.testing import START_MS, FixedClock

TEA = {
    "id": "tea",
    "name": " Green tea ",
    "price": 3.5,
    "currency": "EUR",
    "category": "Kitchen",
    "brand": "Leaf",
    "description": "Loose",
    "url": "https://shop.example/tea",
    "image_url": "/tea.png",
    "tags": ["green", "loose"],
    "released_at": "2025-03-01",
    "properties": {"origin": "Uji", "grams": 100, "organic": True, "note": None},
}
MUG = {"id": "mug", "name": "Blue mug"}


@pytest.fixture
def catalog(store: Store, clock: FixedClock) -> Catalog:
    """Return an empty catalog on each database in turn."""
    return Catalog(store, clock)


@pytest.fixture
def file_catalog(tmp_path: Path, clock: FixedClock) -> Iterator[Catalog]:
    """Return an empty catalog on an SQLite file."""
    with Store.open(tmp_path / "catalog.db") as store:
        yield Catalog(store, clock)


@pytest.mark.parametrize(
    "given_items",
    [
        [TEA, MUG],
        json.dumps([TEA, MUG]).encode(),
        json.dumps({"items": [TEA, MUG]}).encode(),
        f"{json.dumps(TEA)}\n\n{json.dumps(MUG)}\n".encode(),
        f"{json.dumps(TEA)}\r\n{json.dumps(MUG)}".encode(),
        b" \n" + json.dumps([TEA, MUG], indent=2).encode(),
    ],
)
def test_items_come_in_as_mappings_json_or_ndjson(catalog: Catalog, given_items) -> None:
    """A list, an object with a list, and lines of JSON all say the same."""
    assert catalog.put(given_items) == 2
    tea = catalog.get("tea").fields()
    moment = to_text(START_MS)
    assert tea == {**TEA, "name": "Green tea", "available": True, "first_seen": moment, "last_seen": moment}
    assert catalog.get("mug").name == "Blue mug"


def test_one_item_alone_may_come_as_one_object(catalog: Catalog) -> None:
    """A body that is one object is one item, also spread over several lines."""
    assert catalog.put(json.dumps(TEA, indent=1).encode()) == 1
    assert catalog.put(json.dumps(MUG).encode()) == 1


def test_what_get_shows_can_be_put_again(catalog: Catalog, clock: FixedClock) -> None:
    """An item goes out and comes in unchanged; the time it was first seen stays, the last moves on."""
    catalog.put([TEA])
    before = catalog.get("tea").fields()
    clock.move(days=2)
    catalog.put([before])
    assert catalog.get("tea").fields() == before
    catalog.put([TEA])
    after = catalog.get("tea").fields()
    assert after["first_seen"] == before["first_seen"]
    assert after["last_seen"] == to_text(clock.now_ms())


def test_putting_replaces_the_whole_item_and_keeps_its_number(catalog: Catalog, store: Store) -> None:
    """The newest description counts, also within one request; facts that it leaves out are gone."""
    catalog.put([TEA, MUG])
    catalog.put([{"id": "tea", "name": "x"}, {"id": "tea", "name": "Black tea", "available": False}])
    assert "price" not in catalog.get("tea").facts
    with store.read() as session:
        assert [(row.number, row.id, row.available) for row in items.all(session)] == [(0, "tea", 0), (1, "mug", 1)]


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ({"id": "a"}, "name"),
        ({"name": "a"}, "id"),
        ({"id": "", "name": "a"}, "id"),
        ({"id": " a", "name": "a"}, "id"),
        ({"id": "a\x01", "name": "a"}, "id"),
        ({"id": "x" * 129, "name": "a"}, "id"),
        ({"id": 5, "name": "a"}, "id"),
        ({"id": "a", "name": "  "}, "name"),
        ({"id": "a", "name": "x" * 513}, "name"),
        ({"id": "a", "name": "a\x00"}, "name"),
        ({"id": "a", "name": "a", "price": -1}, "price"),
        ({"id": "a", "name": "a", "price": "5"}, "price"),
        ({"id": "a", "name": "a", "currency": "euro"}, "currency"),
        ({"id": "a", "name": "a", "tags": ["t"] * 65}, "tags"),
        ({"id": "a", "name": "a", "tags": "t"}, "tags"),
        ({"id": "a", "name": "a", "url": "javascript:alert(1)"}, "url"),
        ({"id": "a", "name": "a", "image_url": "data:x"}, "image_url"),
        ({"id": "a", "name": "a", "url": "https://[shop/tea"}, "url"),
        ({"id": "a", "name": "a", "url": "https://shop\uff0fevil/tea"}, "url"),
        ({"id": "a", "name": "a", "url": "https://"}, "url"),
        ({"id": "a", "name": "a", "released_at": "soon"}, "released_at"),
        ({"id": "a", "name": "a", "first_seen": "0000-00-00"}, "first_seen"),
        ({"id": "a", "name": "a", "colour": "red"}, "colour"),
        ({"id": "a", "name": "a", "properties": {"x": [1]}}, "properties"),
    ],
)
def test_a_wrong_item_is_refused_by_number_and_field(file_catalog: Catalog, item, word) -> None:
    """The error names the item (or line) and the field, and nothing of the request is stored."""
    for given_items, place in (
        ([MUG, item], "Item 2"),
        (f"{json.dumps(MUG)}\n\n{json.dumps(item)}".encode(), "Line 3"),
    ):
        with pytest.raises(InvalidInput, match=f"{place}.*{word}") as raised:
            file_catalog.put(given_items)
        assert raised.value.advice
    with pytest.raises(NotFound):
        file_catalog.get("mug")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"5",
        b"null",
        b'"x"',
        b"[1]",
        b'{"items": 5}',
        b"[{]",
        b"\xff",
        b'{"id": "a"',
        b"[" * 99_999,
        b"{}\n{",
    ],
)
def test_bodies_that_are_no_items_are_refused(body) -> None:
    """Anything else is an error of our own, with advice."""
    with pytest.raises(InvalidInput) as raised:
        read_items(body)
    assert raised.value.advice


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_items_or_our_own_error(body) -> None:
    """Whatever arrives, nothing but an `AssentError` comes back."""
    with suppress(AssentError):
        read_items(body)


def test_values_that_json_does_not_have_are_refused() -> None:
    """A mapping that holds an object of the program's own is no item."""
    with pytest.raises(InvalidInput, match="Item 2"):
        read_items([MUG, {"id": "a", "name": "b", "price": object()}])


def test_too_many_items_and_too_large_an_item() -> None:
    """One request has a bound, and so has one item."""
    with pytest.raises(TooLarge):
        read_items({"id": str(number), "name": "n"} for number in range(limit("items_per_request_max") + 1))
    with pytest.raises(TooLarge):
        read_items([{"id": "a", "name": "a", "description": "x" * limit("item_bytes_max")}])


def test_items_are_paged_in_the_order_of_their_ids(catalog: Catalog) -> None:
    """A page begins after the id that ended the one before; items off the list are not shown."""
    catalog.put([{"id": each, "name": each} for each in "dbeac"])
    catalog.drop("c")
    assert [row.id for row in catalog.page(None, 2).items] == ["a", "b"]
    assert [row.id for row in catalog.page("b", 2).items] == ["d", "e"]
    assert [row.id for row in catalog.page("bb").items] == ["d", "e"]
    assert catalog.page("e").items == []
    for count in (0, -1, limit("page_items_max") + 1):
        with pytest.raises(InvalidInput):
            catalog.page(None, count)


def test_a_dropped_item_is_gone_until_it_is_put_again(catalog: Catalog) -> None:
    """Unlisting an item twice, or an unknown one, raises NotFound."""
    catalog.put([TEA])
    catalog.drop("tea")
    for item in ("tea", "never"):
        with pytest.raises(NotFound):
            catalog.get(item)
        with pytest.raises(NotFound):
            catalog.drop(item)
    catalog.put([TEA])
    assert catalog.get("tea").name == "Green tea"


def test_the_view_is_the_whole_catalog_and_follows_it(catalog: Catalog, store: Store, clock: FixedClock) -> None:
    """Arrays by item number; unchanged catalog, same view; a change, a new one, and the old one stays as it was."""
    with store.read() as session:
        empty = catalog.view(session)
    assert (len(empty), empty.unlisted, empty.number("tea")) == (0, 0, None)
    catalog.put([TEA, MUG, {"id": "jam", "name": "Jam", "available": False}])
    store.write(lambda session: items.number_of(session, ["pen"], clock.now_ms()))
    with store.read() as session:
        view = catalog.view(session)
        assert catalog.view(session) is view
    assert view.ids == ["tea", "mug", "jam", "pen"]
    assert view.names == ["Green tea", "Blue mug", "Jam", ""]
    assert view.number("pen") == 3
    assert view.listed.tolist() == [True, True, True, False]
    assert view.available.tolist() == [True, True, False, False]
    assert view.shown.tolist() == [True, True, False, False]
    assert view.unlisted == 1
    assert view.facts[0]["price"] == 3.5
    assert [facts.get("price") for facts in view.facts[:2]] == [3.5, None]
    assert len(view.facts) == len(view) == 4
    catalog.drop("mug")
    with store.read() as session:
        newer = catalog.view(session)
    assert newer.shown.tolist() == [True, False, False, False]
    assert view.shown.tolist() == [True, True, False, False]
    assert newer.listed_ids() == ["jam", "tea"]


def test_an_older_snapshot_is_served_by_the_newer_view(catalog: Catalog, store: Store) -> None:
    """A reader that began before a change may see the change, never a catalog from before its own moment."""
    catalog.put([TEA])
    with store.read() as early:
        assert items.version(early) == catalog.view(early).version
        catalog.put([MUG])
        with store.read() as late:
            newer = catalog.view(late)
        assert catalog.view(early) is newer


def test_newness_orders_what_was_never_acted_on() -> None:
    """Listed items by release or first sight, above 0 and below 1; items off the list have none."""

    def row(number: int, first_ms: int, released: str | None = None, *, listed: int = 1) -> ItemRow:
        facts = "{}" if released is None else json.dumps({"released_at": released}, separators=(",", ":"))
        return ItemRow(number, str(number), listed, 1, "n", facts, first_ms, first_ms, 1)

    rows = [row(0, 3_000), row(1, 1_000), row(2, 9_000, listed=0), row(3, 9_000, "1970-01-01T00:00:02Z")]
    view = CatalogView().changed(rows, 1)
    assert view.newness[2] == 0
    listed = view.newness[[1, 3, 0]]
    assert (np.diff(listed) > 0).all()
    assert 0 < listed.min() <= listed.max() < 1
    assert view.newness.dtype == np.float32


def test_views_cannot_be_changed_by_those_who_read_them() -> None:
    """Arrays are read-only, and so are facts, which copy, pickle and encode as plain dicts."""
    view = CatalogView().changed([ItemRow(0, "a", 1, 1, "A", '{"price":1}', 0, 0, 1)], 1)
    facts = view.facts[0]
    for change in (
        lambda: operator.setitem(facts, "price", 99),
        lambda: operator.ior(facts, {"price": 99}),
        lambda: facts.update(price=99),
        facts.clear,
    ):
        with pytest.raises(TypeError, match="shared"):
            change()
    assert view.facts[0] is copy.copy(facts) is copy.deepcopy(facts)
    assert type(pickle.loads(pickle.dumps(facts))) is dict
    assert (dict(facts) | {"price": 2}, msgspec.json.encode(facts)) == ({"price": 2}, b'{"price":1}')
    for array in (view.shown, view.listed, view.available, view.newness):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    "link", ["https://müller.example/ä?size[]=1#top", "http://127.0.0.1:8000", "//cdn.example/tea.png", "/"]
)
def test_links_of_a_shop_are_taken(catalog: Catalog, link: str) -> None:
    """Hosts with umlauts and ports, other servers by two slashes, and paths of the shop's own site."""
    assert catalog.put([{"id": "a", "name": "a", "url": link}]) == 1
    assert catalog.get("a").facts["url"] == link
