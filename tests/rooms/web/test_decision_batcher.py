"""Questions over HTTP are answered in turns of the event loop: together, each in its place, once they are durable."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from assent.engine import Question
from assent.terms.errors import Busy, InvalidInput, Loading
from assent.web.decision_batcher import DecisionBatcher
from assent.web.http.engine_bridge import EngineBridge


def asked(shop, questions, *, meanwhile=None):
    """Ask in one turn of a loop and return what becomes of each, with how often the engine was asked."""
    calls, submit = [], shop.engine.decisions.submit

    def counted(given, later=None):
        calls.append(len(given))
        return submit(given, later)

    shop.engine.decisions.submit = counted

    async def turn():
        bridge = EngineBridge(shop.engine)
        batcher = DecisionBatcher(bridge)
        waiting = [batcher.ask(question) for question in questions]
        if meanwhile is not None:
            meanwhile(waiting)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        bridge.close()
        return answers

    try:
        return asyncio.run(asyncio.wait_for(turn(), 30)), calls
    finally:
        shop.engine.decisions.submit = submit


def test_one_turn_asks_the_engine_once(shop):
    """Questions of a turn share one look at the store; a wrong one among them spoils none of the others."""
    answers, calls = asked(shop, [Question.of(slot="a"), Question.of(person="\x00"), Question.of(slot="b")])
    assert calls == [3]
    assert [msgspec.json.decode(answers[place])["slot"] for place in (0, 2)] == ["a", "b"]
    assert isinstance(answers[1], InvalidInput)


def test_whoever_has_gone_is_passed_over(shop):
    """A client that left gets nothing, and the others get theirs."""
    answers, _ = asked(
        shop, [Question.of(slot="a"), Question.of(slot="b")], meanwhile=lambda waiting: waiting[0].cancel()
    )
    assert isinstance(answers[0], asyncio.CancelledError)
    assert msgspec.json.decode(answers[1])["slot"] == "b"


def test_everybody_waits_for_a_model_that_is_being_loaded(shop, monkeypatch):
    """`Loading` is waited for, once for all; then the same questions are asked again."""
    decide, loading = shop.engine._rooms.decider.decide_all, [Loading("Not yet."), Loading("Not yet.")]

    def soon(*given, **how):
        if loading:
            raise loading.pop()
        return decide(*given, **how)

    monkeypatch.setattr(shop.engine._rooms.decider, "decide_all", soon)
    answers, calls = asked(shop, [Question.of(slot="a"), Question.of(slot="b")])
    assert calls == [2, 2, 2]
    assert [msgspec.json.decode(each)["slot"] for each in answers] == ["a", "b"]


def test_a_model_that_cannot_be_loaded_is_told_to_everybody(shop, monkeypatch):
    """Nobody waits for ever."""

    def never(*_, **__):
        raise Loading("Not yet.")

    def broken():
        raise Busy("No room.")

    monkeypatch.setattr(shop.engine._rooms.decider, "decide_all", never)
    monkeypatch.setattr(shop.engine.server, "warm", broken)
    answers, calls = asked(shop, [Question.of(), Question.of()])
    assert calls == [2]
    assert all(isinstance(each, Busy) for each in answers)


def test_a_server_that_closes_while_it_loads_leaves_nobody_waiting(shop, monkeypatch):
    """Whoever waits for the model when the server is closed is let go."""

    def never(*_, **__):
        raise Loading("Not yet.")

    monkeypatch.setattr(shop.engine._rooms.decider, "decide_all", never)

    async def closing():
        bridge = EngineBridge(shop.engine)
        loading = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(bridge, "warming", lambda: loading)
        waiting = DecisionBatcher(bridge).ask(Question.of())
        await asyncio.sleep(0)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 10)
        bridge.close()

    asyncio.run(closing())


@pytest.mark.parametrize("count", [1, 3])
def test_a_record_that_is_lost_is_an_answer_that_is_not_given(shop, monkeypatch, count):
    """When the store cannot write, everybody who asked hears of it, and nobody gets a list."""

    def broken(*_, **__):
        raise Busy("The disk is full.")

    monkeypatch.setattr("assent.decide.record_queue.decisions.add_many", broken)
    answers, _ = asked(shop, [Question.of() for _ in range(count)])
    assert [type(each) for each in answers] == [Busy] * count
