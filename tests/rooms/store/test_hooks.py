"""Hooks of write jobs: called when a job is durable, or when it was undone, and never both."""

from __future__ import annotations

import functools

import pytest

from assent.store.topics import meta, people
from assent.terms.errors import Conflict, StoreUnavailable
from tests.rooms.store.jobs import Gate, facts, put


def test_hooks_run_after_the_commit_and_before_the_answer(store):
    """A hook sees the committed state, and whoever waits for the job finds the hook's work done."""
    seen = []

    def job(session):
        meta.put(session, "a", "x")
        session.after_commit(lambda: seen.append(facts(store, "a")))
        assert seen == []

    store.write(job)
    assert seen == [["x"]]


def test_hooks_of_a_failed_job_do_not_run(store):
    """The hooks of a job that fails are dropped, those of its neighbours are not."""
    called = []

    def fails(session):
        session.after_commit(lambda: called.append("failed"))
        raise LookupError

    gate = Gate(store)
    lost = store.submit(fails)
    kept = store.submit(lambda session: session.after_commit(lambda: called.append("kept")))
    gate.open()
    kept.result(10)
    with pytest.raises(LookupError):
        lost.result(10)
    with pytest.raises(LookupError):
        store.write(fails)
    assert called == ["kept"]


def test_a_hook_that_raises_tells_its_own_job(store):
    """A failing hook's error reaches the job that registered it, whose write is kept, and nobody else."""

    def job(session):
        meta.put(session, "a", "x")
        session.after_commit(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        store.write(job)
    assert facts(store, "a") == ["x"]
    store.write(put("b"))


@pytest.mark.parametrize("register", ["after_commit", "after_undo"])
def test_a_reader_has_nothing_to_wait_for(store, register):
    """Registering a hook while reading is refused."""
    with store.read() as session, pytest.raises(Conflict, match="write job"):
        getattr(session, register)(print)


class Calls:
    """Jobs that note which of their hooks were called, in order."""

    def __init__(self):
        self.made = []

    def job(self, name, *, fails=None):
        """Return a job that registers both hooks, writes, and may fail."""

        def work(session):
            session.after_undo(lambda: self.made.append(f"{name} undone"))
            session.after_commit(lambda: self.made.append(f"{name} kept"))
            meta.put(session, name, "x")
            if fails is not None:
                raise fails
            return name

        return work


class Breaking:
    """A link on which one call fails."""

    def __init__(self, link, name, error):
        self._link, self._name, self._error = link, name, error

    def __getattr__(self, name):
        return self._fail if name == self._name else getattr(self._link, name)

    def _fail(self):
        raise self._error


def run_on_broken_link(store, name, error, *jobs):
    """Run jobs in one transaction whose link fails at one call; return their futures, done."""
    store.write(lambda _: None)
    link = store._writer._link
    gate = Gate(store)
    futures = [store.submit(job) for job in jobs]
    store._writer._link = Breaking(link, name, error)
    gate.go.set()
    for future in futures:
        future.exception(10)
    store._writer._link = link
    return futures


def test_a_job_that_fails_alone_is_told_that_it_was_undone(store):
    """Its hook is called before its future resolves, that for the commit is not; a job that is kept hears the other."""
    calls = Calls()
    with pytest.raises(LookupError):
        store.write(calls.job("a", fails=LookupError()))
    assert calls.made == ["a undone"]
    store.write(calls.job("b"))
    assert calls.made == ["a undone", "b kept"]


def test_in_a_group_the_hook_is_called_before_the_next_job_runs(store):
    """What a failed job remembered is gone when its neighbour begins; the neighbours are kept."""
    calls, seen = Calls(), []
    gate = Gate(store)
    futures = [
        store.submit(calls.job("a")),
        store.submit(calls.job("b", fails=LookupError())),
        store.submit(lambda _: seen.extend(calls.made)),
    ]
    gate.open()
    assert futures[0].result(10) == "a"
    with pytest.raises(LookupError):
        futures[1].result(10)
    futures[2].result(10)
    assert seen == ["b undone"]
    assert calls.made == ["b undone", "a kept"]
    assert facts(store, "a", "b") == ["x", None]


@pytest.mark.parametrize("behind_gate", [True, False])
def test_a_job_that_hides_a_failed_statement_is_undone_too(store, behind_gate):
    """Swallowing the error of a statement does not keep the job, and its hook hears so."""
    calls = Calls()

    def hides(session):
        calls.job("a")(session)
        with pytest.raises(Conflict):
            people.put_key(session, b"nobody", b"w", "k")

    gate = Gate(store) if behind_gate else None
    futures = [store.submit(hides), *([store.submit(put("b"))] if behind_gate else [])]
    if gate:
        gate.open()
    assert isinstance(futures[0].exception(10), Conflict)
    assert calls.made == ["a undone"]
    assert facts(store, "a") == [None]


@pytest.mark.parametrize("count", [1, 3])
def test_a_commit_that_fails_undoes_everybody_in_it(store, count):
    """Each job of a transaction that was not kept hears so once, and no hook that waits for the commit is called."""
    calls = Calls()
    jobs = [calls.job(str(number)) for number in range(count)]
    for future in run_on_broken_link(store, "commit", StoreUnavailable("The disk is full."), *jobs):
        assert isinstance(future.exception(10), StoreUnavailable)
    assert calls.made == [f"{number} undone" for number in range(count)]
    store.write(calls.job("later"))
    assert calls.made[count:] == ["later kept"]
    assert facts(store, "0", "later") == [None, "x"]


@pytest.mark.parametrize("call", ["drop_mark", "commit"])
def test_a_writer_that_crashes_in_the_middle_undoes_all_of_the_group(store, call):
    """Whatever breaks the writer's own work, each job hears once that it was undone, also one that failed before."""
    calls = Calls()
    jobs = [calls.job("a", fails=LookupError()), calls.job("b"), calls.job("c")]
    futures = run_on_broken_link(store, call, MemoryError(), *jobs)
    assert all(isinstance(future.exception(10), MemoryError) for future in futures)
    ran = ["a undone", "b undone"] if call == "drop_mark" else ["a undone", "b undone", "c undone"]
    assert calls.made == ran
    store.write(calls.job("d"))
    assert calls.made[-1] == "d kept"
    assert facts(store, "a", "b", "c", "d") == [None, None, None, "x"]


def test_a_hook_that_raises_keeps_no_other_from_its_turn(store):
    """Every hook of a job is called; the error of the one that raised reaches the job's future."""
    called = []

    def job(session, *, fails):
        for register in (session.after_commit, session.after_undo):
            register(lambda: 1 // 0)
            register(lambda: called.append(fails))
        if fails:
            raise LookupError

    for fails in (False, True):
        with pytest.raises(ZeroDivisionError):
            store.write(functools.partial(job, fails=fails))
    assert called == [False, True]
    store.write(put("a"))
