"""What is kept open in memory between questions is never older than what the store says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from assent.decide import knowing
from assent.decide.knowing import CHOICES_MAX
from assent.engine import Engine, ask
from assent.terms.errors import InvalidInput
from assent.testing import FixedClock
from assent.testing.shops import acts


@pytest.fixture
def ana(shop: Engine, clock: FixedClock) -> Engine:
    """Return the shop with Ana, who looked at two teas and bought a third, and was asked for already; trained."""
    shop.take_in([*acts("ana", ["tea-0", "tea-1"], clock), *acts("ana", ["tea-2"], clock, event="Order Completed")])
    shop.train()
    assert shop.decide("ana").personal
    return shop


@pytest.fixture
def other(ana: Engine, clock: FixedClock) -> Iterator[Engine]:
    """Return the same shop in a second process's place, where Ana was asked for as well."""
    with Engine.open(ana._rooms.store.url, keys=ana._rooms.key_path, clock=clock, create=False) as engine:
        assert engine.decide("ana").personal
        yield engine


def known(engine: Engine) -> list[str]:
    """Return the names that are known in memory."""
    return list(engine._rooms.decider._people._by_name)


def test_the_same_question_has_the_same_answer_until_something_changes(ana: Engine, clock: FixedClock):
    """Items and reasons are those of before, each time with an id and a record of its own; a new act changes them."""
    first, second = ana.decide("ana"), ana.decide("ana")
    assert first.items == second.items
    assert first.decision_id != second.decision_id
    assert len(ana.export("ana").decisions) == 3
    ana.take_in(acts("ana", ["garden-1", "garden-2"], clock))
    third = ana.decide("ana")
    assert "your own 5 actions with 5 items" in third.used
    assert third.items != first.items


def test_every_part_of_a_question_counts(ana: Engine):
    """Another count, page, exclusion or switch is another question, however many are asked."""
    whole = [each.item for each in ana.decide("ana", count=6).items]
    assert [each.item for each in ana.decide("ana", count=3).items] == whole[:3]
    assert [each.item for each in ana.decide("ana", count=5, exclude=whole[:1]).items] == whole[1:]
    assert ana.decide("ana", count=24, context={"item": "garden-1"}).items != ana.decide("ana", count=24).items
    assert "tea-2" in [each.item for each in ana.decide("ana", count=24, include_bought=True).items]
    for count in range(1, CHOICES_MAX + 3):
        assert [each.item for each in ana.decide("ana", count=count).items[:6]] == whole[:count]


def test_catalogue_and_model_change_the_answer(ana: Engine, clock: FixedClock):
    """An item taken off the list is gone with the next answer, and a training shows in it."""
    best = ana.decide("ana").items[0].item
    ana.catalog.drop(best)
    assert best not in [each.item for each in ana.decide("ana").items]
    ana.take_in(acts("new", ["tea-0", "tea-1"], clock))
    before = ana.decide("ana").used
    ana.train()
    assert ana.decide("ana").used != before


def test_consent_runs_out_in_memory_as_well(ana: Engine, clock: FixedClock):
    """A permit is minted for every question: what was open a year ago is closed."""
    clock.move(days=366)
    answer = ana.decide("ana")
    assert not answer.personal
    assert any("asked for again" in line.why for line in answer.not_used)


def test_global_privacy_control_closes_what_is_open(ana: Engine):
    """The signal of one request refuses that request alone."""
    assert not ana.decide("ana", gpc=True).personal
    assert not ana.decide("ana", mode="non_profiled").personal
    assert ana.decide("ana").personal


def test_another_process_withdraws_and_grants(ana: Engine, other: Engine):
    """The next question in this process knows what was said in that one."""
    other.consent("ana", withdraw=["personalize"])
    assert not ana.decide("ana").personal
    other.consent("ana", grant=["personalize"])
    assert not ana.decide("ana").personal  # what was kept for it is gone


def test_what_another_process_takes_in_counts(ana: Engine, other: Engine, clock: FixedClock):
    """Only what came since is read, and it is there."""
    other.take_in(acts("ana", ["garden-1"], clock))
    assert "your own 4 actions with 4 items" in ana.decide("ana").used
    other.take_in(acts("somebody", ["garden-1"], clock))
    assert "your own 4 actions with 4 items" in ana.decide("ana").used


def test_an_erasure_anywhere_empties_the_memory(ana: Engine, other: Engine, clock: FixedClock):
    """Whoever erased, and whoever is asked for next: nobody's opened history stays."""
    ana.take_in(acts("ben", ["tea-0"], clock))
    assert ana.decide("ben").personal
    assert known(ana) == ["ana", "ben"]
    other.erase("ben")
    assert known(other) == []
    assert ana.decide("ana").personal
    assert known(ana) == ["ana"]
    answer = ana.decide("ben")
    assert not answer.personal
    assert "not known here" in answer.not_used[0].why


def test_an_erasure_in_this_process_empties_the_memory_at_once(ana: Engine):
    """Nothing waits for the next question."""
    ana.erase("ana")
    assert known(ana) == []


def test_what_retention_takes_is_gone_from_memory(ana: Engine, clock: FixedClock):
    """Records past their time are stripped, and a person asked for before is read anew."""
    clock.move(days=300)
    ana.consent("ana", grant=["personalize", "learn"])
    clock.move(days=300)
    ana.consent("ana", grant=["personalize", "learn"])
    assert ana.decide("ana").personal
    clock.move(days=200)
    ana.train()
    assert not ana.decide("ana").personal


def test_a_bare_name_that_may_come_to_mean_another_is_looked_up_each_time(ana: Engine, clock: FixedClock):
    """A device found by its bare id gives way to the user who registers by that very name."""
    event = {**acts("x", ["garden-1"], clock)[0], "anonymousId": "17"}
    del event["userId"]
    ana.take_in([event])
    assert "your own 1 action with 1 item" in ana.decide("17").used
    ana.take_in(acts("17", ["tea-1", "tea-2"], clock))
    assert "your own 2 actions with 2 items" in ana.decide("17").used
    assert "your own 1 action with 1 item" in ana.decide("anonymous_id:17").used


def test_only_so_many_people_are_kept(ana: Engine, clock: FixedClock, monkeypatch: pytest.MonkeyPatch):
    """Whoever was asked for longest ago goes first."""
    monkeypatch.setattr(knowing, "limit", lambda _: 2)
    for name in ("ben", "cleo"):
        ana.take_in(acts(name, ["tea-0"], clock))
        ana.decide(name)
        ana.decide("ana")
    assert known(ana) == ["cleo", "ana"]


# -- records -------------------------------------------------------------------------------------------------------


def test_questions_of_one_turn_are_answered_from_one_look_and_recorded_together(shop: Engine):
    """Each question has its answer in its place, and what is wrong with one is told there alone."""
    reads = []
    read = shop._rooms.store.read
    shop._rooms.store.read = lambda: reads.append(1) or read()  # type: ignore[method-assign]
    answers, recorded = shop.decisions.submit([ask(count=1), ask(person="\x00"), ask(count=2)])
    recorded.result(10)
    assert len(reads) == 1
    nothing, recorded = shop.decisions.submit([ask(person="\x00")])
    assert recorded.done()
    assert isinstance(nothing[0], InvalidInput)
    assert isinstance(answers[1], InvalidInput)
    assert [len(answers[place].decision.items) for place in (0, 2)] == [1, 2]
    assert shop.server.metrics().stored["decisions"] == 2
    with pytest.raises(InvalidInput):
        shop.decide("\x00")


def test_an_answer_is_the_same_as_an_object_and_as_json(ana: Engine):
    """What is written once and given often is, byte for byte, what the decision itself is in JSON."""
    seen = set()
    for _ in range(2):
        for question in (ask(person="ana"), ask(person="ana", slot='a"items":[]b'), ask(mode="non_profiled"), ask()):
            (answer,), recorded = ana.decisions.submit([question])
            recorded.result(10)
            assert answer.json() == msgspec.json.encode(answer.decision)
            assert answer.decision.slot == question.slot
            seen.add(answer.decision.decision_id)
    assert len(seen) == 8


def test_many_threads_ask_at_once(ana: Engine):
    """Answers do not mix: each has its own record, and every record is there."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: ana.decide("ana" if number % 2 else None), range(40)))
    assert [answer.personal for answer in answers] == [bool(number % 2) for number in range(40)]
    told = json.dumps(ana.export("ana").decisions)
    assert all((answer.decision_id in told) is answer.personal for answer in answers)
