"""The bounds of items, each on both sides, as numbers written here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assent.catalog import Catalog
from assent.catalog.item import read_items
from assent.store import Store
from assent.terms.errors import InvalidInput, TooLarge
from assent.testing import FixedClock


def item(**fields: Any) -> dict[str, Any]:
    """Return a good item."""
    return {"id": "a", "name": "A", **fields}


@pytest.mark.parametrize(
    ("fits", "over"),
    [
        ({"id": "i" * 128}, {"id": "i" * 129}),
        ({"id": "i"}, {"id": ""}),
        ({"name": "n" * 512}, {"name": "n" * 513}),
        ({"name": "n"}, {"name": " "}),
        ({"tags": ["t"] * 64}, {"tags": ["t"] * 65}),
        ({"price": 0}, {"price": -0.01}),
        ({"currency": "EUR"}, {"currency": "EURO"}),
    ],
)
def test_an_item_at_its_bound_is_read_and_one_past_it_is_refused(fits: dict[str, Any], over: dict[str, Any]):
    """Neither side of any bound is guessed."""
    assert len(read_items([item(**fits)])) == 1
    with pytest.raises(InvalidInput):
        read_items([item(**over)])


def test_an_item_of_exactly_the_bound_is_read():
    """Sixty-four kibibytes of JSON are an item, one byte more is too large."""
    empty = len(json.dumps(item(description=""), separators=(",", ":")))
    for size, fits in ((65_536, True), (65_537, False)):
        text = json.dumps(item(description="x" * (size - empty)), separators=(",", ":")).encode()
        assert len(text) == size
        if fits:
            assert len(read_items(text)) == 1
        else:
            with pytest.raises(TooLarge):
                read_items(text)


def test_a_request_of_exactly_the_bound_is_read():
    """Ten thousand items may come at once, one more is too many."""
    assert len(read_items(item(id=str(number)) for number in range(10_000))) == 10_000
    with pytest.raises(TooLarge):
        read_items(item(id=str(number)) for number in range(10_001))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_page_of_exactly_the_bound_is_shown(store: Store, clock: FixedClock):
    """A page has from one to a thousand items."""
    catalog = Catalog(store, clock)
    catalog.put([item(), item(id="b")])
    assert [len(catalog.page(None, count).items) for count in (1, 1_000)] == [1, 2]
    for count in (0, 1_001):
        with pytest.raises(InvalidInput):
            catalog.page(None, count)
