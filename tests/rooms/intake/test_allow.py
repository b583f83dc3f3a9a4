"""The allow-list: what it keeps, what it cuts, and how an operator gives their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.intake import AllowList
from assent.intake.allow import EventPlan, keep, plain_url
from assent.terms.errors import InvalidInput
from assent.terms.events import ACTIONS

NAMES = frozenset({"a", "url", "n"})


def test_every_act_keeps_the_item_it_is_about() -> None:
    """The list that ships lets each act of the vocabulary name its items."""
    allow = AllowList.load()
    for action in ACTIONS:
        plan = allow.plans[action.event]
        assert plan.code == action.code
        assert plan.fields & {"product_id", "products"}
    assert allow.other == EventPlan(frozenset(), 0)


def test_only_plain_values_of_allowed_names_stay() -> None:
    """Lists, objects, nulls, huge numbers and long prose are left out, as is every other name."""
    values = {"a": "x", "n": 5, "b": "x", "url": "https://shop.example/x?q=1"}
    assert keep(values, NAMES) == {"a": "x", "n": 5, "url": "https://shop.example/x"}
    for value in (None, [1], {"b": 1}, 2**64, -(2**64), "x" * 513):
        assert keep({"a": value}, NAMES) == {}
    assert keep({"a": True, "n": 1.5}, NAMES) == {"a": True, "n": 1.5}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("https://shop.example/a/b?mail=x@y.z#top", "https://shop.example/a/b"),
        ("https://user:secret@shop.example/a", "https://shop.example/a"),
        ("//user@shop.example", "//shop.example"),
        ("/a/b;session=5?x", "/a/b"),
        ("/a#b", "/a"),
        ("plain", "plain"),
    ],
)
def test_urls_lose_what_may_tell_of_a_person(text, plain) -> None:
    """Query, fragment, parameters, user and password are cut."""
    assert plain_url(text) == plain


@given(st.text(max_size=60))
def test_a_plain_url_has_no_query_and_no_fragment(text) -> None:
    """Nothing after a question mark or a hash stays of any text; cutting twice is cutting once."""
    once = plain_url(text)
    assert not set("?#") & set(once)
    assert plain_url(once) == once


def test_an_operator_may_give_their_own_list(tmp_path: Path) -> None:
    """The same four tables in a file of their own replace the list."""
    path = tmp_path / "allow.toml"
    path.write_text(
        '[track]\n"*" = ["a"]\n"Signed Up" = ["b"]\n[products]\nkeep = []\n[calls]\n[traits]\nidentify = []\n'
    )
    allow = AllowList.load(path)
    assert allow.other.fields == {"a"}
    assert allow.plans["Signed Up"].fields == {"b"}
    assert allow.plans["Product Viewed"] == EventPlan(frozenset({"a"}), 1)


@pytest.mark.parametrize(
    "text", ["", "[track]", "not toml", "[track]\na = 5\n[products]\nkeep = []\n[calls]\n[traits]\nidentify = []", None]
)
def test_a_list_of_another_shape_is_refused(tmp_path: Path, text) -> None:
    """A file that cannot be understood keeps nothing by accident: it is refused."""
    path = tmp_path / "allow.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput):
        AllowList.load(path)
