"""Decisions that wait are written together, and whoever asked hears once theirs is durable."""

from __future__ import annotations

import threading

import pytest

from assent.decide import RecordQueue
from assent.engine import Engine
from assent.store.topics import decisions
from assent.store.topics.decisions import DecisionRow
from assent.terms.errors import Conflict, StoreUnavailable


def about_nobody(number: int) -> DecisionRow:
    """Return a decision about nobody."""
    return DecisionRow(number.to_bytes(16, "big"), None, number, "home", b"-")


def recorded_count(shop: Engine) -> int:
    """Return how many decisions the store holds."""
    with shop._rooms.store.read() as session:
        return decisions.count(session)


def test_what_waits_is_written_by_one_job(shop: Engine):
    """Decisions that come while the writer is busy share a job; each future resolves once they are durable."""
    recorder, go, jobs = RecordQueue(shop._rooms.store), threading.Event(), []
    submit = shop._rooms.store.submit
    shop._rooms.store.submit = lambda job: jobs.append(job) or submit(job)  # type: ignore[method-assign]
    held = submit(lambda _: go.wait())
    futures = [recorder.submit([about_nobody(number)]) for number in range(20)]
    assert not any(future.done() for future in futures)
    go.set()
    for future in futures:
        future.result(10)
    assert held.done()
    assert len(jobs) == 1
    assert recorded_count(shop) == 20


class Loop:
    """An event loop's `call_later`, whose moments come when the test says so."""

    def __init__(self) -> None:
        """Wait for nothing."""
        self.calls: list = []

    def __call__(self, seconds, call) -> None:
        """Note a call for later."""
        assert 0 < seconds < 0.01
        self.calls.append(call)

    def pass_on(self) -> None:
        """Let every moment come."""
        while self.calls:
            self.calls.pop()()


def test_a_lone_decision_does_not_wait_and_company_is_waited_for(shop: Engine):
    """After a group, decisions wait until as many came again, or for a moment; alone, nobody waits."""
    recorder, loop, numbers = RecordQueue(shop._rooms.store), Loop(), iter(range(100))

    def submit(count):
        return recorder.submit([about_nobody(next(numbers)) for _ in range(count)], loop)

    submit(1).result(10)
    submit(5).result(10)
    assert loop.calls == []
    group = [submit(2), submit(1), submit(1)]
    assert len(loop.calls) == 1
    assert not any(future.done() for future in group)
    group.append(submit(1))  # as many as last time
    for future in group:
        future.result(10)
    loop.pass_on()
    few = submit(2)
    assert not few.done()
    loop.pass_on()
    few.result(10)
    assert recorded_count(shop) == 13


def test_a_failed_job_tells_everybody_in_it(shop: Engine):
    """Two decisions of one id: neither is written, and both callers hear of it; the next one is written."""
    recorder = RecordQueue(shop._rooms.store)
    recorder._queue.last_weight = 3
    loop = Loop()
    futures = [recorder.submit([about_nobody(7)], loop) for _ in range(2)]
    loop.pass_on()
    for future in futures:
        with pytest.raises(Conflict):
            future.result(10)
    recorder.submit([about_nobody(7)]).result(10)


def test_a_closed_store_is_told_and_nothing_hangs(shop: Engine):
    """When the writer takes no job, every decision that waits hears why."""
    recorder = RecordQueue(shop._rooms.store)
    shop.close()
    with pytest.raises(StoreUnavailable):
        recorder.submit([about_nobody(1)]).result(5)
