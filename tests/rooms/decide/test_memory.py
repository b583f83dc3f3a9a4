"""What is kept open in memory between questions is never older than what the store says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest

from assent.decide import people_cache, pipeline, step3_scores, step7_reasons
from assent.decide.history_view import KEPT_RESULTS
from assent.decide.results import Choice
from assent.engine import Engine, Question
from assent.store.topics import decisions
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


def recorded_count(shop: Engine) -> int:
    """Return how many decisions the store holds."""
    with shop._rooms.store.read() as session:
        return decisions.count(session)


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
    for count in range(1, KEPT_RESULTS + 3):
        assert [each.item for each in ana.decide("ana", count=count).items[:6]] == whole[:count]


def test_catalog_and_model_change_the_answer(ana: Engine, clock: FixedClock):
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
    monkeypatch.setattr(people_cache, "limit", lambda _: 2)
    for name in ("ben", "cleo"):
        ana.take_in(acts(name, ["tea-0"], clock))
        ana.decide(name)
        ana.decide("ana")
    assert known(ana) == ["cleo", "ana"]


def test_questions_of_one_turn_are_answered_from_one_look_and_recorded_together(shop: Engine):
    """Each question has its answer in its place, and what is wrong with one is told there alone."""
    reads = []
    read = shop._rooms.store.read
    shop._rooms.store.read = lambda: reads.append(1) or read()  # type: ignore[method-assign]
    answers, recorded = shop.decisions.submit([Question.of(count=1), Question.of(person="\x00"), Question.of(count=2)])
    recorded.result(10)
    assert len(reads) == 1
    nothing, recorded = shop.decisions.submit([Question.of(person="\x00")])
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
        for question in (
            Question.of(person="ana"),
            Question.of(person="ana", slot='a"items":[]b'),
            Question.of(mode="non_profiled"),
            Question.of(),
        ):
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


# -- what is kept, and what never is -------------------------------------------------------------------------------


def names(decision) -> list[str]:
    """Return the ids of the items of an answer, in order."""
    return [each.item for each in decision.items]


@pytest.fixture
def scored(ana: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list to which every scoring and every explaining adds a word, from now on."""
    with ana._rooms.store.read() as session:
        model = ana._rooms.learning.model(session)
    # Arrays that come from a file meanwhile would be another model of the same sum.
    monkeypatch.setattr(ana._rooms.learning, "model", lambda *_, **__: model)
    calls: list[str] = []
    score_all, explain = step3_scores._score_all, step7_reasons.explain
    monkeypatch.setattr(step3_scores, "_score_all", lambda *args: calls.append("scored") or score_all(*args))
    monkeypatch.setattr(step7_reasons, "explain", lambda *args: calls.append("explained") or explain(*args))
    return calls


def test_scores_are_kept_and_rules_are_asked_each_time(ana: Engine, scored: list[str]):
    """Other exclusions and another count choose anew from the same scores; the same list is not explained twice."""
    whole = names(ana.decide("ana", count=6))
    assert names(ana.decide("ana", count=5, exclude=whole[:1])) == whole[1:]
    assert names(ana.decide("ana", count=6)) == whole
    assert scored == ["explained", "explained"]
    ana.decide("ana", count=6, context={"item": "garden-1"})
    assert scored == ["explained", "explained", "scored", "explained"]


def test_a_choice_is_never_kept(ana: Engine, scored: list[str], monkeypatch: pytest.MonkeyPatch):
    """When step 6 leaves something to chance, the same question has another answer, with its own reasons and record."""
    whole = names(ana.decide("ana", count=4))
    choose = pipeline.choose

    def by_chance(*args):
        choice = choose(*args)
        return Choice(choice.items[::-1], choice.personal, propensity=0.25)

    monkeypatch.setattr(pipeline, "choose", by_chance)
    turned = ana.decide("ana", count=4)
    assert names(turned) == whole[::-1]
    assert [each.rank for each in turned.items] == [1, 2, 3, 4]
    monkeypatch.setattr(pipeline, "choose", choose)
    again = ana.decide("ana", count=4)
    assert names(again) == whole
    records = {each["decision"]: each["answer"] for each in ana.export("ana").decisions}
    assert [records[each.decision_id]["propensity"] for each in (turned, again)] == [0.25, 1.0]


def test_an_item_that_cannot_be_had_any_more_is_gone_between_two_equal_questions(ana: Engine, scored: list[str]):
    """What a rule sees at the moment of the question counts, although the scores are those of before."""
    first = names(ana.decide("ana", count=4))
    with ana._rooms.store.read() as session:
        view = ana._rooms.catalog.view(session)
    shown = view.shown.copy()
    shown[view.number(first[0])] = False
    view.shown = shown  # the same world, and another rule: as a stock that is asked at the moment
    assert first[0] not in names(ana.decide("ana", count=4))
    assert "scored" not in scored


def test_what_is_kept_of_one_person_is_bounded(ana: Engine):
    """However many pages, lists and slots are asked for, only so many scores, reasons and answers stay."""
    for number in range(3 * KEPT_RESULTS):
        ana.decide("ana", slot=f"slot-{number}", count=1 + number % 20, context={"item": f"garden-{number % 8}"})
        ana.decide("ana", slot=f"slot-{number}", count=1 + number % 20, context={"item": f"book-{number % 8}"})
        memory = ana._rooms.decider._people._by_name["ana"].view._memory
        assert max(len(memory.scores), len(memory.reasons), len(memory.told)) <= KEPT_RESULTS
    assert len(memory.scores) > 0


@pytest.mark.parametrize("kept", [0, 1, 7, 50, 400])
def test_past_the_kept_scores_the_rest_is_scored_again(kept: int):
    """However few are kept, a ranking has every item above zero once, best first, ties by number."""
    values = np.random.default_rng(7).integers(-3, 9, 300).astype(np.float32)
    whole = sorted((number for number in range(300) if values[number] > 0), key=lambda number: -values[number])
    ranking = step3_scores.Ranking(step3_scores.best(values, kept), values.copy)
    assert [item for stretch in ranking for item in stretch] == whole
    assert ranking.kept.items.tolist() == whole[:kept]
    assert ranking.kept.values.tolist() == [values[number] for number in whole[:kept]]


def test_nobody_who_was_taken_out_is_in_an_answer_that_is_asked_for_later(ana: Engine):
    """Threads ask while people leave: each answer that begins after a leaving counts one person less."""
    left, wrong = [0], []
    people = ana.decide("ana").used_codes["others"]["people"]

    def ask() -> None:
        for _ in range(30):
            before = left[0]
            told = ana.decide("ana", count=3).used_codes["others"]["people"]
            if told > people - before:
                wrong.append((told, before))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(4):
        ana.erase(f"crowd-{number}")
        left[0] = number + 1
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []
    assert ana.decide("ana").used_codes["others"]["people"] == people - 4
