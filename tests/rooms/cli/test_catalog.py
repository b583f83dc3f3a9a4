"""`assent catalog`: the shop's goods."""

import json

import pytest

from tests.journeys.shop import TEA


def test_goods_are_listed_page_by_page(shop):
    """A page ends with the id that the next begins after, and says so in words."""
    page = json.loads(shop("catalog", "list", "--count", "5", "--json").stdout)
    assert len(page["items"]) == 5
    rest = json.loads(shop("catalog", "list", "--after", page["next"], "--json").stdout)
    assert len(rest["items"]) == 7
    assert rest["next"] is None
    assert f"assent catalog list --after {page['next']}" in shop("catalog", "list", "--count", "5").stdout
    assert "There are more" not in shop("catalog", "list").stdout


def test_a_shop_without_goods_says_how_to_put_them_in(run):
    """An empty list is no blank screen."""
    run("init")
    assert "assent import items" in run("catalog", "list").stdout


def test_one_item_is_shown_with_its_facts(shop):
    """Its name and every fact that the shop gave, in words and as JSON."""
    assert json.loads(shop("catalog", "show", TEA[0], "--json").stdout)["price"] == 5.0
    assert "Tea 1" in shop("catalog", "show", TEA[0]).stdout


def test_a_dropped_item_is_listed_and_suggested_no_more(shop):
    """`drop` takes one item off, and only that one."""
    assert TEA[0] in shop("catalog", "list").stdout
    assert json.loads(shop("catalog", "drop", TEA[0], "--json").stdout) == {"dropped": TEA[0]}
    assert TEA[0] not in shop("catalog", "list").stdout
    assert TEA[1] in shop("catalog", "list").stdout
    alike = json.loads(shop("catalog", "similar", TEA[1], "--count", "12", "--json").stdout)["items"]
    assert TEA[0] not in {each["item"] for each in alike}
    assert "is off the list" in shop("catalog", "drop", TEA[1]).stdout


def test_similar_items_come_with_their_reason(shop):
    """As many as asked for, never the item itself, in words and as JSON."""
    alike = json.loads(shop("catalog", "similar", TEA[0], "--count", "3", "--json").stdout)["items"]
    assert len(alike) == 3
    assert TEA[0] not in {each["item"] for each in alike}
    result = shop("catalog", "similar", TEA[0], "--count", "3").stdout
    assert alike[0]["name"] in result
    assert max(map(len, result.splitlines())) <= 80


@pytest.mark.parametrize("line", ["show nothing", "drop nothing", "similar nothing", "list --count 0"])
def test_what_cannot_be_is_an_error_with_advice(shop, line):
    """An unknown item and an impossible count end with 1 and say what to do."""
    result = shop("catalog", *line.split())
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) >= 2
