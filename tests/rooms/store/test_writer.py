"""The one writer: shared commits, jobs that fail alone, hooks, a bounded queue."""

import threading

import pytest

from assent.store import Store, writer
from assent.store.topics import meta, people
from assent.terms.errors import Busy, Conflict, StoreUnavailable
from tests.rooms.store.jobs import Gate, at_once, facts, put


def test_a_write_returns_its_result_when_it_can_be_read(store):
    """What a job returns comes back once every reader sees what it wrote."""
    assert store.write(lambda session: (meta.put(session, "a", "1"), 7)[1]) == 7
    assert facts(store, "a") == ["1"]


def test_jobs_that_wait_share_one_transaction(store):
    """Jobs queued behind a long one are committed together: none is visible before all are."""
    gate = Gate(store)
    seen_by_second = []
    first = store.submit(put("a"))
    second = store.submit(lambda session: seen_by_second.extend([facts(store, "a"), meta.get(session, "a")]))
    gate.open()
    first.result(10)
    second.result(10)
    assert seen_by_second == [[None], "x"]
    assert facts(store, "a") == ["x"]


def test_a_job_that_fails_takes_nobody_with_it(store):
    """In a shared transaction the failing job is undone alone, and its error goes to its own future."""

    def fails(session):
        meta.put(session, "b", "x")
        raise LookupError("mine")

    gate = Gate(store)
    futures = [store.submit(job) for job in (put("a"), fails, put("c"))]
    gate.open()
    assert futures[0].result(10) is None
    with pytest.raises(LookupError, match="mine"):
        futures[1].result(10)
    assert futures[2].result(10) is None
    assert facts(store, "a", "b", "c") == ["x", None, "x"]


def test_a_statement_that_fails_in_a_shared_transaction_takes_nobody_with_it(store):
    """A rule of the database broken by one job leaves the jobs before and after it whole."""
    gate = Gate(store)
    futures = [
        store.submit(job) for job in (put("a"), lambda session: people.put_key(session, b"nobody", b"w", "k"), put("c"))
    ]
    gate.open()
    with pytest.raises(Conflict):
        futures[1].result(10)
    assert [futures[0].result(10), futures[2].result(10)] == [None, None]
    assert facts(store, "a", "c") == ["x", "x"]


def test_a_lone_job_that_fails_is_undone(store):
    """A job alone in its transaction is undone whole when it raises, and the writer goes on."""

    def fails(session):
        meta.put(session, "a", "x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(fails)
    store.write(put("b"))
    assert facts(store, "a", "b") == [None, "x"]


@pytest.mark.parametrize("behind_gate", [False, True])
def test_a_swallowed_failure_still_fails_the_job(store, behind_gate):
    """A job that hides a failed statement is undone and reported, the same on both databases."""

    def hides(session):
        meta.put(session, "a", "x")
        try:
            people.put_key(session, b"nobody", b"w", "k")
        except Conflict:
            return "all is well"

    gate = Gate(store) if behind_gate else None
    future, other = store.submit(hides), store.submit(put("b")) if behind_gate else None
    if gate and other:
        gate.open()
        other.result(10)
    with pytest.raises(Conflict):
        future.result(10)
    assert facts(store, "a") == [None]


def test_a_job_cannot_wait_for_itself(store):
    """Writing, or emptying the log, from inside a write job is refused instead of waiting for ever."""
    with pytest.raises(Conflict, match="session that the job was given"):
        store.write(lambda _: store.write(put("a")))
    with pytest.raises(Conflict, match="session that the job was given"):
        store.write(lambda _: store.checkpoint())


def test_a_job_may_queue_another(store):
    """A job can submit a job without waiting for it."""
    futures = []
    store.write(lambda _: futures.append(store.submit(put("a"))))
    futures[0].result(10)
    assert facts(store, "a") == ["x"]


def test_a_full_queue_is_reported(store_url, monkeypatch):
    """When the queue stays full a new caller gets `Busy`, and what was queued is kept."""
    monkeypatch.setattr(writer, "QUEUE_JOBS_MAX", 2)
    monkeypatch.setattr(writer, "QUEUE_WAIT_SECONDS", 0.01)
    with Store.open(store_url) as store:
        gate = Gate(store)
        queued = [store.submit(put("a")), store.submit(put("b"))]
        with pytest.raises(Busy, match="Send it again"):
            store.submit(put("c"))
        gate.open()
        for future in queued:
            future.result(10)
        assert facts(store, "a", "b", "c") == ["x", "x", None]


def test_a_queue_with_room_again_takes_whoever_waited(store_url, monkeypatch):
    """Whoever waits at a full queue gets in once there is room."""
    monkeypatch.setattr(writer, "QUEUE_JOBS_MAX", 1)
    with Store.open(store_url) as store:
        gate = Gate(store)
        store.submit(put("a"))
        threading.Timer(0.05, gate.go.set).start()
        store.submit(put("b")).result(10)
        assert facts(store, "a", "b") == ["x", "x"]


def test_more_jobs_than_a_group_holds_are_all_done(store, monkeypatch):
    """A queue longer than one group is worked off in several, each durable before the next begins."""
    monkeypatch.setattr(writer, "GROUP_JOBS_MAX", 3)
    names = [f"job-{number}" for number in range(10)]

    def job(name):
        def work(session):
            durable = facts(store, *names).count("x")
            meta.put(session, name, "x")
            return durable

        return work

    gate = Gate(store)
    futures = [store.submit(job(name)) for name in names]
    gate.open()
    assert [future.result(10) for future in futures] == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]


def test_a_cancelled_job_is_not_done(store):
    """A future cancelled while it waits is skipped, alone or among others."""
    gate = Gate(store)
    first, second = store.submit(put("a")), store.submit(put("b"))
    assert first.cancel()
    gate.open()
    second.result(10)
    gate = Gate(store)
    third = store.submit(put("c"))
    assert third.cancel()
    gate.open()
    store.write(put("d"))
    assert facts(store, "a", "b", "c", "d") == [None, "x", None, "x"]


def test_closing_finishes_what_was_queued(store_url):
    """Everything queued before closing is done; after it, reading and writing are refused."""
    store = Store.open(store_url)
    futures = [store.submit(put(str(number))) for number in range(50)]
    store.close()
    store.close()
    assert all(future.result(0) is None for future in futures)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.write(put("late"))
    with pytest.raises(StoreUnavailable, match="closed"), store.read():
        pass
    with Store.open(store_url) as again:
        assert facts(again, "0", "49", "late") == ["x", "x", None]


def test_many_threads_write_at_once(store):
    """Numbers taken by many threads at once are all different, and none is missing."""
    numbers = []

    def take():
        numbers.extend([store.write(lambda session: meta.allocate(session, "n", 3)) for _ in range(20)])

    at_once(8, take)
    assert sorted(numbers) == list(range(1, 8 * 20 * 3, 3))
