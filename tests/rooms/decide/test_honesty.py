"""An answer claims no more than is true: what is told as personal is, and shares are those of the score."""

from __future__ import annotations

import numpy as np
import pytest

from assent.engine import Engine
from assent.testing import FixedClock
from assent.testing.shops import acts


def test_popular_items_are_not_told_as_personal(shop: Engine, clock: FixedClock):
    """With leave and a history, but nothing left that it speaks for, the answer is popular and names no purpose."""
    gardens = [f"garden-{place}" for place in range(8)]
    shop.take_in(acts("eva", gardens, clock, event="Order Completed"))
    shop.train()
    answer = shop.decide("eva", count=3)
    assert len(answer.items) == 3
    assert all(not each.because and each.text.startswith("Popular") for each in answer.items)
    assert (answer.personal, answer.purpose, answer.receipt) == (False, None, None)
    assert not [line for line in answer.used if "your own" in line]
    again = shop.decide("eva", count=3, include_bought=True)
    assert (again.personal, again.purpose) == (True, "personalize")


def test_what_is_excluded_cannot_make_an_answer_personal(shop: Engine, clock: FixedClock):
    """The page asks for none of what the history speaks for: what is left is popular, and told so."""
    shop.take_in(acts("eva", ["garden-0", "garden-1"], clock))
    shop.train()
    assert shop.decide("eva", count=3).personal
    answer = shop.decide("eva", count=3, exclude=[f"garden-{place}" for place in range(8)])
    assert (answer.personal, answer.purpose, answer.receipt) == (False, None, None)
    assert not [line for line in answer.used if "your own" in line]


@pytest.mark.parametrize("bought", [["tea-2"], ["tea-2", "tea-5"], ["book-1"]])
def test_shares_are_the_nearest_step_to_the_truth(shop: Engine, clock: FixedClock, bought: list[str]):
    """Each share told is within half a step of five percent of what the act added to the score, neither up nor down."""
    shop.take_in(
        [*acts("ana", ["tea-0", "tea-1", "book-2"], clock), *acts("ana", bought, clock, event="Order Completed")]
    )
    shop.train()
    acted = ["tea-0", "tea-1", "book-2", *bought]
    with shop._rooms.store.read() as session:
        model, view = shop._rooms.learning.model(session), shop._rooms.catalog.view(session)
    inputs = np.sort(np.array([view.number(item) for item in acted], np.int32))
    seen = 0
    for each in shop.decide("ana", count=12).items:
        if not each.because:
            continue
        # all acts are of today, so each weighs the same
        parts = model.parts(inputs, np.full(len(inputs), 4, np.int32), np.array([view.number(each.item)]))[:, 0]
        positive = np.maximum(parts, 0)
        for reason in each.because:
            share = 100 * positive[inputs.tolist().index(view.number(reason.item))] / positive.sum()
            assert abs(reason.share_percent - share) <= 2.5 + 1e-4
            seen += 1
    assert seen > 8


def test_the_method_says_what_chose_the_items(shop: Engine, clock: FixedClock):
    """A list is told by what chose it: the history where it spoke, the page where it alone spoke, else popularity."""
    shop.take_in(acts("eva", ["garden-0", "garden-1"], clock))
    shop.train()
    gardens = [f"garden-{place}" for place in range(8)]
    assert shop.decide("eva", count=3).method == "personal"
    assert shop.decide("eva", count=3, exclude=gardens).method == "popular"
    assert shop.decide(context={"item": "garden-2"}, count=3, exclude=gardens).method == "popular"
    shop.take_in(acts("new", ["garden-unheard-of"], clock))
    # The model has no column for the only item of this history: what the page says is all that chooses.
    answer = shop.decide("new", context={"item": "garden-2"}, count=3)
    assert (answer.method, answer.personal, answer.purpose) == ("similar", False, None)
    assert {reason.item for each in answer.items for reason in each.because} == {"garden-2"}
    assert shop.decide("new", count=3).method == "popular"
