"""`engine.catalog`: the shop's goods."""

import pytest

from assent import InvalidInput, NotFound
from tests.journeys.shop import GOODS, TEA

IDS = sorted(each["id"] for each in GOODS)


def test_items_are_put_and_found_with_their_facts(engine):
    """What was put is what is found; putting an id again replaces the item."""
    assert engine.catalog.put([{"id": "pot", "name": "Tea pot", "price": 29.5}]) == 1
    assert engine.catalog.get("pot").facts["price"] == 29.5
    engine.put_items([{"id": "pot", "name": "Old pot"}])
    found = engine.catalog.get("pot")
    assert found.name == "Old pot"
    assert "price" not in found.fields()


def test_one_wrong_item_keeps_its_batch_out(engine):
    """All or none, and the error names the wrong one."""
    with pytest.raises(InvalidInput, match="name"):
        engine.catalog.put([{"id": "pot", "name": "Tea pot"}, {"id": "cup", "name": ""}])
    assert engine.catalog.page().items == []


def test_pages_follow_one_another(shop):
    """Each page begins after the last id of the one before, and the last one says that it is the last."""
    first = shop.catalog.page(count=7)
    rest = shop.catalog.page(first.next, count=7)
    assert [each.id for each in [*first.items, *rest.items]] == IDS
    assert rest.next is None


def test_what_is_dropped_is_found_and_suggested_no_more(shop):
    """A dropped item leaves the pages, the lists and the items alike; a second time there is nothing to drop."""
    shop.catalog.drop(TEA[0])
    assert TEA[0] not in {each.id for each in shop.catalog.page().items}
    assert TEA[0] not in {each.item for each in shop.decide(count=12).items}
    assert TEA[0] not in {each.item for each in shop.catalog.similar(TEA[1], 12)}
    with pytest.raises(NotFound):
        shop.catalog.drop(TEA[0])


def test_similar_items_are_of_the_same_shelf(shop):
    """What goes with a tea is tea, best first, and never the item itself."""
    alike = shop.catalog.similar(TEA[0], 3)
    assert [each.rank for each in alike] == [1, 2, 3]
    assert {each.item for each in alike} <= set(TEA[1:])


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda catalog: catalog.get("nothing"), NotFound),
        (lambda catalog: catalog.similar("nothing"), NotFound),
        (lambda catalog: catalog.page(count=0), InvalidInput),
        (lambda catalog: catalog.page(count=1_001), InvalidInput),
        (lambda catalog: catalog.similar(TEA[0], 0), InvalidInput),
    ],
)
def test_what_cannot_be_is_an_error_with_advice(shop, act, error):
    """An unknown item and an impossible count."""
    with pytest.raises(error) as caught:
        act(shop.catalog)
    assert caught.value.advice
