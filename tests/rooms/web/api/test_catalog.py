"""The catalog over HTTP: items come in, are read and taken off the list."""

from typing import get_type_hints
from urllib.parse import quote

import msgspec
import pytest

from assent.catalog import Item
from assent.web.api import catalog
from tests.rooms.web.problems import check_problem


@pytest.fixture
def server(shop):
    """Return the header of a server key."""
    return shop.key_of("server")


def test_similar_items_are_for_anybody(client, shop, server):
    """An item with a slash in its id is named percent-encoded, and never similar to itself."""
    shop.engine.train()
    path = f"/v1/items/{quote('item 1/1', safe='')}/similar"
    items = client.get(path, params={"count": 2}, headers=server).json()["items"]
    assert 0 < len(items) <= 2
    assert "item 1/1" not in {each["item"] for each in items}
    assert client.get("/v1/items/unknown/similar", headers=server).status_code == 404


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b'{"id": "a", "name": "A"}', 1),
        (b'[{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]', 2),
        (b'{"id": "a", "name": "A"}\n{"id": "b", "name": "B"}\n', 2),
        (b"[]", 0),
    ],
)
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson", "text/plain"])
def test_items_come_as_json_or_ndjson(client, server, body, stored, media):
    """What the body is, is read from the body."""
    answer = client.put("/v1/items", content=body, headers=server | {"Content-Type": media})
    assert (answer.status_code, answer.json()) == (200, {"stored": stored})
    found = client.get("/v1/items/b", headers=server)
    assert found.status_code == (200 if stored == 2 else 404)


def test_the_catalog_is_read_page_by_page(client, server):
    """`next` leads from page to page until everything was seen once."""
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/items", params={"after": after, "count": 3}, headers=server).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert seen == sorted(f"item {number}/{number}" for number in range(8))


def test_an_item_is_read_and_taken_off_the_list(client, server):
    """DELETE answers 204 without a body; the item is then unknown and suggested no more."""
    path = f"/v1/items/{quote('item 7/7', safe='')}"
    assert client.get(path, headers=server).json()["name"] == "Item 7"
    gone = client.delete(path, headers=server)
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get(path, headers=server).status_code == 404
    assert client.delete(path, headers=server).status_code == 404
    items = client.post("/v1/decide", json={}, headers=server).json()["items"]
    assert "item 7/7" not in {each["item"] for each in items}


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({}, 400),
        ({"id": "x"}, 400),
        ({"id": "", "name": "n"}, 400),
        ({"id": "x\x00", "name": "n"}, 400),
        ({"id": "x" * 129, "name": "n"}, 400),
        ({"id": 1, "name": "n"}, 400),
        ({"id": "x", "name": ""}, 400),
        ({"id": "x", "name": "n", "price": -1}, 400),
        ({"id": "x", "name": "n", "price": "1"}, 400),
        ({"id": "x", "name": "n", "unknown": 1}, 400),
        ({"id": "x", "name": "n", "description": "d" * 70_000}, 413),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_bad_item_is_refused_and_so_is_its_list(still_client, still, item, status, many):
    """One bad item refuses the request, and nothing of it is stored."""
    body = [{"id": "good", "name": "Good"}, item] if many else item
    check_problem(still_client.put("/v1/items", json=body, headers=still.key_of("server")), status)
    assert still_client.get("/v1/items/good", headers=still.key_of("server")).status_code == 404


def test_items_are_described_as_the_catalog_reads_them():
    """The published shape of an item has the fields of the catalog's own, with the same defaults."""

    def fields(shape):
        return {field.name: field.default for field in msgspec.structs.fields(shape)}

    assert fields(catalog.Item) == fields(Item)


def test_a_listed_item_has_the_fields_that_are_described(client, server):
    """Whatever an item can be put in with comes back under the same name, flat, and of the type that is published."""
    whole = {
        "id": "w",
        "name": "W",
        "price": 1.5,
        "currency": "EUR",
        "category": "c",
        "brand": "b",
        "description": "d",
        "url": "/w",
        "image_url": "/w.png",
        "available": False,
        "tags": ["t"],
        "released_at": "2026-01-01",
        "first_seen": "2026-01-02",
        "last_seen": "2026-01-03",
        "properties": {"colour": None, "size": 4},
    }
    assert client.put("/v1/items", json=whole, headers=server).status_code == 200
    result = client.get("/v1/items/w", headers=server)
    assert msgspec.json.decode(result.content, type=catalog.ListedItem) == result.json()
    assert result.json().keys() == whole.keys() == get_type_hints(catalog.ListedItem).keys()
    assert {field.name for field in msgspec.structs.fields(catalog.Item)} == whole.keys()
