"""Items that wait become one write job, and whoever brought one hears about it, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from assent.store import GroupQueue, Store
from assent.store.topics import meta
from assent.terms.errors import Busy, StoreUnavailable
from tests.rooms.store.jobs import Gate, facts


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """Return a store on a file: what a queue does depends on no database."""
    with Store.open(tmp_path / "shop.db") as opened:
        yield opened


class Jobs:
    """What jobs were given; each item is written as a fact and answered with its place, but `bad` fails."""

    def __init__(self):
        self.given = []

    def __call__(self, session, items):
        self.given.append(list(items))
        for item in items:
            meta.put(session, item, "x")
        if "bad" in items:
            raise LookupError
        return [(item, place) for place, item in enumerate(items)]


def queue_of(store, jobs, **settings):
    """Return a queue with room enough, unless told."""
    return GroupQueue(store, jobs, **{"count_max": 100, **settings})


def test_what_waits_is_one_job_and_each_gets_its_own_answer(store):
    """Items that come while the writer is busy share a job; one that comes alone is done at once."""
    jobs = Jobs()
    queue = queue_of(store, jobs)
    gate = Gate(store)
    futures = [queue.submit(item, weight) for item, weight in (("a", 1), ("b", 2), ("c", 3))]
    assert (queue.count, queue.weight) == (3, 6)
    gate.open()
    assert [future.result(10) for future in futures] == [("a", 0), ("b", 1), ("c", 2)]
    assert (queue.count, queue.weight, queue.last_count, queue.last_weight) == (0, 0, 3, 6)
    assert queue.submit("d").result(10) == ("d", 0)
    assert jobs.given == [["a", "b", "c"], ["d"]]


def test_what_is_too_much_for_one_job_is_done_by_the_next(store):
    """The bound of a job cuts what waits; an item heavier than the bound is a job of its own."""
    jobs = Jobs()
    queue = queue_of(store, jobs, weight_max=3)
    gate = Gate(store)
    futures = [queue.submit(item, weight) for item, weight in (("a", 2), ("b", 1), ("c", 5), ("d", 1))]
    gate.open()
    for future in futures:
        future.result(10)
    assert jobs.given == [["a", "b"], ["c"], ["d"]]


def test_what_comes_while_a_job_is_at_work_waits_for_the_next(store):
    """One job is asked for at a time, and the next takes all that came meanwhile."""
    begun, go_on, given = threading.Event(), threading.Event(), []

    def work(_, items):
        given.append(list(items))
        begun.set()
        assert go_on.wait(10)
        return items

    queue = queue_of(store, work)
    first = queue.submit("a")
    assert begun.wait(10)
    rest = [queue.submit(item) for item in "bc"]
    assert queue.count == 2
    go_on.set()
    assert [future.result(10) for future in (first, *rest)] == ["a", "b", "c"]
    assert given == [["a"], ["b", "c"]]


def test_the_owner_says_when_a_job_is_due(store):
    """Nothing is asked for until it is due: then by the next item, by whoever asks, or at the end of a job."""
    jobs, due = Jobs(), []
    queue = queue_of(store, jobs, due=lambda: bool(due))
    waiting = [queue.submit("a"), queue.submit("b")]
    queue.ask()
    store.write(lambda _: None)
    assert jobs.given == []
    due.append(1)
    queue.ask()
    for future in waiting:
        future.result(10)
    due.clear()
    late = queue.submit("c")
    due.append(1)
    assert queue.submit("d").result(10) == ("d", 1)
    assert late.done()
    assert jobs.given == [["a", "b"], ["c", "d"]]


def test_too_many_that_wait_are_told_to_come_again(store):
    """Past the bound whoever comes hears at once that the store is busy; nothing that waits is lost."""
    queue = queue_of(store, Jobs(), count_max=2)
    gate = Gate(store)
    futures = [queue.submit("a"), queue.submit("b")]
    with pytest.raises(Busy):
        queue.submit("c")
    gate.open()
    for future in futures:
        future.result(10)
    queue.submit("c").result(10)


def test_whoever_gave_up_is_left_out(store):
    """A cancelled item is in no job, whether it waits among others or alone."""
    jobs = Jobs()
    queue = queue_of(store, jobs)
    for company in ([], ["b"]):
        gate = Gate(store)
        given_up, others = queue.submit("a"), [queue.submit(item) for item in company]
        assert given_up.cancel()
        gate.open()
        for future in others:
            future.result(10)
        store.write(lambda _: None)
    assert jobs.given == [[], ["b"]]
    assert queue.submit("c").result(10) == ("c", 0)


def test_a_job_that_fails_tells_all_of_it(store):
    """Without a second try everybody in the job hears what was raised, and nothing of it is written."""
    queue = queue_of(store, Jobs())
    gate = Gate(store)
    futures = [queue.submit("a"), queue.submit("bad")]
    gate.open()
    for future in futures:
        assert isinstance(future.exception(10), LookupError)
    assert facts(store, "a", "bad") == [None, None]
    queue.submit("a").result(10)


def test_a_second_try_is_made_with_each_alone(store):
    """One item that cannot be written costs nobody else theirs; one alone is not tried twice."""
    jobs = Jobs()
    queue = queue_of(store, jobs, retry=True)
    gate = Gate(store)
    futures = [queue.submit(item) for item in ("a", "bad", "b")]
    gate.open()
    assert [futures[place].result(10) for place in (0, 2)] == [("a", 0), ("b", 0)]
    assert isinstance(futures[1].exception(10), LookupError)
    assert isinstance(queue.submit("bad").exception(10), LookupError)
    assert jobs.given == [["a", "bad", "b"], ["a"], ["bad"], ["b"], ["bad"]]
    assert facts(store, "a", "bad", "b") == ["x", None, "x"]


@pytest.mark.parametrize("retry", [True, False])
def test_a_job_that_never_began_tells_all_who_wait(store, monkeypatch, retry):
    """When no transaction can be begun everybody hears why, and the next item gets a job again."""
    queue = queue_of(store, Jobs(), retry=retry)
    begin = store._writer._begin

    def held():
        monkeypatch.setattr(store._writer, "_begin", begin)
        raise Busy("Another process writes.")

    gate = Gate(store)
    futures = [queue.submit("a"), queue.submit("b")]
    monkeypatch.setattr(store._writer, "_begin", held)
    gate.open()
    for future in futures:
        assert isinstance(future.exception(10), Busy)
    assert queue.submit("c").result(10) == ("c", 0)


def test_a_second_try_that_cannot_be_queued_is_reported(store, monkeypatch):
    """With the writer's queue full after a failed job each of its items hears so."""
    queue = queue_of(store, Jobs(), retry=True)
    submit, left = store.submit, [1]

    def full_later(job):
        if not left:
            raise Busy("The queue is full.")
        left.clear()
        return submit(job)

    gate = Gate(store)
    monkeypatch.setattr(store, "submit", full_later)
    futures = [queue.submit("a"), queue.submit("bad")]
    gate.open()
    for future in futures:
        assert isinstance(future.exception(10), Busy)


def test_closing_finishes_what_waits_and_then_all_are_reported(store):
    """A closing store takes no new job, so what one job should not hold goes along; after that it refuses all."""
    jobs = Jobs()
    queue = queue_of(store, jobs, weight_max=1)
    gate = Gate(store)
    futures = [queue.submit(item) for item in "abc"]
    closing = threading.Thread(target=store.close)
    closing.start()
    while not store._writer._closing:
        pass
    gate.open()
    closing.join()
    assert {future.result(10)[0] for future in futures} == {"a", "b", "c"}
    assert jobs.given == [["a", "b", "c"]]
    for _ in range(2):
        assert isinstance(queue.submit("d").exception(10), StoreUnavailable)
