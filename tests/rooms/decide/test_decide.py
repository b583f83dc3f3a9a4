"""One decision: sensible and honest with every mix of consent, and its reasons are true."""

from __future__ import annotations

import json
from dataclasses import asdict

import msgspec
import numpy as np
import pytest

from assent.engine import Engine
from assent.store.topics import decisions, people
from assent.terms.errors import InvalidInput
from assent.terms.ids import identifiers_named
from assent.terms.limits import limit
from assent.testing import FixedClock
from assent.testing.shops import acts, goods


def names(decision) -> list[str]:
    """Return the ids of the items of an answer, in order."""
    return [each.item for each in decision.items]


def why_not(decision, what: str) -> str:
    """Return why an answer did not use something."""
    return next(line.why for line in decision.not_used if line.what == what)


@pytest.fixture
def ana(shop: Engine, clock: FixedClock) -> Engine:
    """Return the shop with Ana, who looked at two teas, bought a third, and agreed to everything; trained."""
    shop.take_in([*acts("ana", ["tea-0", "tea-1"], clock), *acts("ana", ["tea-2"], clock, event="Order Completed")])
    shop.train()
    return shop


def test_her_own_history_chooses(ana: Engine):
    """Somebody who likes tea sees tea, told as personal, with purpose and receipt."""
    answer = ana.decide("ana", count=4)
    assert answer.personal
    assert answer.method == "personal"
    assert all(item.startswith("tea-") for item in names(answer))
    assert answer.purpose == "personalize"
    receipts = [receipt["payload"]["dct:identifier"] for receipt in ana.export("ana").receipts]
    assert any(answer.receipt in identifier for identifier in receipts)
    assert "your own 3 actions with 3 items" in answer.used


def test_reasons_are_her_own_acts_with_rounded_shares(ana: Engine):
    """Every reason names an item she acted on, the act itself, and a share in steps of five percent."""
    acted = {"tea-0": "viewed", "tea-1": "viewed", "tea-2": "bought"}
    for each in ana.decide("ana", count=4).items:
        assert each.because
        for reason in each.because:
            assert acted[reason.item] == reason.action
            assert reason.share_percent % 5 == 0
            assert 0 < reason.share_percent <= 100
            assert reason.name in each.text


def test_the_first_reason_is_the_one_whose_removal_costs_most(ana: Engine):
    """Scoring again without each item in turn confirms which one carried the suggestion."""
    first = ana.decide("ana", count=1).items[0]
    with ana._rooms.store.read() as session:
        model = ana._rooms.learning.model(session)
        view = ana._rooms.catalog.view(session)
    inputs = {item: view.number(item) for item in ("tea-0", "tea-1", "tea-2")}
    target = view.number(first.item)
    whole = model.score_one(np.array(sorted(inputs.values()), np.int32))[target]
    cost = {
        item: whole - model.score_one(np.array(sorted(set(inputs.values()) - {number}), np.int32))[target]
        for item, number in inputs.items()
    }
    assert max(cost, key=cost.get) == first.because[0].item


def test_no_exact_score_leaves(ana: Engine):
    """Nothing in an answer is a fraction: no score, no exact share."""
    answer = json.loads(msgspec.json.encode(ana.decide("ana", count=8)))
    for each in answer["items"]:
        each.pop("facts")
    numbers = [
        value for each in answer["items"] for value in (each["rank"], *(b["share_percent"] for b in each["because"]))
    ]
    assert all(isinstance(number, int) for number in numbers)
    assert set(answer["items"][0]) == {"rank", "item", "name", "because", "text"}


def test_what_she_bought_is_left_out_unless_asked_for(ana: Engine):
    """Bought things do not come back, and the answer says so; a switch brings them back."""
    assert "tea-2" not in names(ana.decide("ana", count=20))
    assert why_not(ana.decide("ana"), "things already bought")
    assert "tea-2" in names(ana.decide("ana", count=24, include_bought=True))


def test_excluded_unavailable_and_unlisted_items_do_not_appear(ana: Engine, clock: FixedClock):
    """Rules come before scores: excluded, out of stock, taken off the list, never listed."""
    best = names(ana.decide("ana", count=3))
    assert best[0] not in names(ana.decide("ana", count=24, exclude=[best[0], "no such item"]))
    ana.put_items([{**next(each for each in goods() if each["id"] == best[1]), "available": False}])
    ana.catalog.drop(best[2])
    ana.take_in(acts("ana", ["tea-unheard-of"], clock))
    ana.train()
    left = names(ana.decide("ana", count=200))
    assert not {best[1], best[2], "tea-unheard-of"} & set(left)
    assert any("without facts" in line.what for line in ana.decide("ana").not_used)


def test_the_item_on_the_page_counts_and_is_not_suggested(ana: Engine):
    """Without a person the answer is what goes with the page; with one the page is one reason more."""
    similar = ana.decide(context={"item": "garden-3"}, count=3)
    assert similar.method == "similar"
    assert not similar.personal
    assert all(item.startswith("garden-") and item != "garden-3" for item in names(similar))
    assert similar.items[0].text == "Because you are looking at Garden 3."
    assert [each.item for each in ana.catalog.similar("garden-3", 3)] == names(similar)
    both = ana.decide("ana", context={"item": "garden-3"}, count=20)
    assert both.personal
    assert {reason.item for each in both.items for reason in each.because} >= {"garden-3", "tea-0"}
    unknown = ana.decide(context={"item": "nothing"}, count=3)
    assert unknown.method == "popular"
    assert why_not(unknown, "the item on this page")


@pytest.mark.parametrize(
    ("person", "question", "word"),
    [
        (None, {}, "names nobody"),
        ("stranger", {}, "not known here"),
        ("ana", {"mode": "non_profiled"}, "without profiling"),
        ("ana", {"gpc": True}, "Global Privacy Control"),
    ],
)
def test_without_leave_the_answer_is_popular_and_says_why(ana: Engine, person: str | None, question: dict, word: str):
    """Nobody, a stranger, non-profiled, opted out by signal: a good list, not personal, with the reason."""
    answer = ana.decide(person, count=5, **question)
    assert len(answer.items) == 5
    assert not answer.personal
    assert answer.purpose is None
    assert answer.receipt is None
    assert word in why_not(answer, "the person's own history")
    assert answer.gpc_honored is bool(question.get("gpc"))
    assert all(not each.because and each.text.startswith("Popular") for each in answer.items)


@pytest.mark.parametrize(
    ("consent", "personal"),
    [
        ({"personalize": True, "learn": False}, True),
        ({"personalize": False, "learn": True}, False),
    ],
)
def test_each_purpose_does_only_its_own(shop: Engine, clock: FixedClock, consent: dict, personal: bool):
    """Personalize without learn works fully; learn without personalize does not profile."""
    shop.take_in(acts("half", ["book-1", "book-2"], clock, consent=consent))
    shop.train()
    answer = shop.decide("half", count=3)
    assert answer.personal is personal
    if personal:
        assert all(item.startswith("book-") for item in names(answer))


def test_an_empty_shop_answers(engine: Engine):
    """No items, no people: an empty, honest list."""
    answer = engine.decide("anybody", count=5)
    assert (list(answer.items), answer.method, answer.personal) == ([], "empty", False)


def test_items_without_any_history_are_shown_newest_first(engine: Engine, clock: FixedClock):
    """A shop on its first day shows what is listed."""
    engine.put_items(goods()[:3])
    clock.move(days=3)
    engine.put_items([{"id": "latest", "name": "Latest"}])
    answer = engine.decide(count=2)
    assert len(answer.items) == 2
    assert answer.method == "popular"
    assert answer.items[0].item == "latest"


def test_a_short_personal_list_is_filled_with_popular_items(ana: Engine):
    """Past what the history can say, the rest is popular and says so."""
    answer = ana.decide("ana", count=24)
    assert answer.items[0].because
    assert [each.rank for each in answer.items] == list(range(1, len(answer.items) + 1))
    assert len(set(names(answer))) == len(answer.items)


@pytest.mark.parametrize(
    "question",
    [
        {"count": 0},
        {"count": -1},
        {"count": limit("decide_count_max") + 1},
        {"mode": "secret"},
        {"slot": ""},
        {"slot": "x" * 100},
        {"context": {"item": 7}},
        {"exclude": ["x"] * (limit("exclude_items_max") + 1)},
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_with_advice(engine: Engine, question: dict):
    """Each field out of range gives an error that says what it may be."""
    with pytest.raises(InvalidInput) as told:
        engine.decide("somebody", **question)
    assert told.value.advice


def test_a_decision_is_recorded_sealed_and_exported(ana: Engine):
    """The record of a personal decision is hers alone; one without leave names nobody."""
    answer = ana.decide("ana", count=2)
    ana.decide("ana", count=2, gpc=True)
    exported = ana.export("ana").decisions
    assert len(exported) == 1
    assert answer.decision_id in json.dumps(exported)
    with ana._rooms.store.read() as session:
        person = people.load(session, ana._rooms.vault.blinds(identifiers_named("ana"))).person
        (row,) = decisions.of(session, person)
        assert decisions.count(session) == 2
    assert b"tea" not in row.sealed


def test_withdrawing_is_in_force_with_the_next_question(ana: Engine):
    """One call ends it; granting again does not bring the old history back."""
    assert ana.decide("ana").personal
    ana.consent("ana", withdraw=["personalize"])
    after = ana.decide("ana")
    assert not after.personal
    assert "withdrew" in why_not(after, "the person's own history")
    ana.consent("ana", grant=["personalize"])
    assert not ana.decide("ana").personal


def test_an_answer_is_the_same_as_plain_data(ana: Engine):
    """The answer becomes JSON without help, with every field in it."""
    answer = ana.decide("ana", count=1)
    assert json.loads(msgspec.json.encode(answer)) == json.loads(json.dumps(asdict(answer)))
