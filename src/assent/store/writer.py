"""The one writer: jobs that wait at the same moment share one transaction, and are acknowledged when it is durable."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from assent.terms.errors import AssentError, Busy, Conflict, StoreUnavailable
from assent.terms.limits import limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.store.link import Link
    from assent.store.session import Hook, Session

T = TypeVar("T")

QUEUE_JOBS_MAX = limit("write_queue_jobs_max")
QUEUE_WAIT_SECONDS = limit("write_wait_seconds")
GROUP_JOBS_MAX = limit("write_group_jobs_max")


@dataclass(slots=True)
class _Job:
    """One piece of work, its result or error, and the future that waits for it."""

    work: Callable[[Session], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None
    on_commit: Sequence[Hook] = ()
    on_undo: Sequence[Hook] = ()


class Writer:
    """Runs write jobs in a thread of its own."""

    def __init__(self, open_link: Callable[[], Link]) -> None:
        """Start the thread; it opens its connection with `open_link`, and again after it was lost."""
        self._open_link = open_link
        self._link: Link | None = None
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="assent-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Session], T]) -> Future[T]:
        """Queue `work`; the future resolves once its effects are durable.

        Raises `Busy` when the queue stays full, `StoreUnavailable` after closing.
        """
        job = _Job(work)
        with self._changed:
            if len(self._waiting) >= QUEUE_JOBS_MAX:
                self._wait_for_room()
            if self._closing:
                raise StoreUnavailable("The store is closed.", advice="Open it again.")
            self._waiting.append(job)
            self._changed.notify_all()
        return job.future

    def write(self, work: Callable[[Session], T]) -> T:
        """Queue `work` and wait until it is durable; raises its error, or `Conflict` from inside a job."""
        self.forbid_inside_job()
        return self.submit(work).result()

    def forbid_inside_job(self) -> None:
        """Raise `Conflict` when a write job calls it, because the job would wait for itself."""
        if threading.current_thread() is self._thread:
            raise Conflict("A write job cannot wait for the writer.", advice="Use the session that the job was given.")

    def close(self) -> None:
        """Finish every queued job, then stop the thread and close its connection."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wait_for_room(self) -> None:
        if threading.current_thread() is self._thread or not self._changed.wait_for(
            lambda: len(self._waiting) < QUEUE_JOBS_MAX or self._closing, QUEUE_WAIT_SECONDS
        ):
            raise Busy("Too many writes are waiting.")

    def _serve(self) -> None:
        while group := self._next_group():
            try:
                self._run(group)
            except BaseException as error:  # noqa: BLE001 - the writer must survive every error of a group
                self._lose_link()
                for job in group:
                    job.error = error
                    _call_undo_hooks(job)
            for job in group:
                _resolve(job)
        if self._link is not None:
            self._link.close()

    def _next_group(self) -> list[_Job]:
        """Wait for jobs and take those that wait; an empty list means: closed, and nothing left to do."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_JOBS_MAX))]
                self._changed.notify_all()
                group = [job for job in taken if job.future.set_running_or_notify_cancel()]
                if group or (not self._waiting and self._closing):
                    return group

    def _run(self, group: list[_Job]) -> None:
        """Run a group in one transaction; an error of the transaction is every job's error."""
        link = self._begin()
        if len(group) == 1:
            _work(group[0], link)
            if group[0].error is not None:
                link.rollback()
                _call_undo_hooks(group[0])
                return
        else:
            for job in group:
                _work_marked(job, link)
        link.commit()
        for job in group:
            if job.error is None:
                _call_hooks(job, job.on_commit)

    def _begin(self) -> Link:
        """Begin a transaction; a connection that broke while it was idle is opened anew once."""
        if self._link is not None:
            try:
                self._link.begin_write()
            except StoreUnavailable:
                self._lose_link()
            else:
                return self._link
        self._link = self._open_link()
        self._link.begin_write()
        return self._link

    def _lose_link(self) -> None:
        """After a failed group: undo it, or drop a connection that cannot."""
        if self._link is None:
            return
        try:
            self._link.rollback()
            usable = self._link.usable()
        except AssentError:
            usable = False
        if not usable:
            self._link.close()
            self._link = None


def _work(job: _Job, link: Link) -> None:
    """Do one job and keep its result or its error; a job that swallowed a failed statement has failed too.

    Raises `StoreUnavailable` when the transaction is gone.
    """
    session = link.session
    session.failure = None
    try:
        job.result = job.work(session)
    except BaseException as error:  # noqa: BLE001 - it belongs to the future of the job
        job.error = error
    job.on_commit, job.on_undo = session.pop_hooks()
    if job.error is None and session.failure is not None:
        job.error = session.failure
    if not link.in_transaction():
        raise _undone(job.error) from job.error


def _work_marked(job: _Job, link: Link) -> None:
    """Do one job of several, and undo what it did if it fails."""
    link.mark()
    _work(job, link)
    if job.error is None:
        link.drop_mark()
    else:
        link.undo_to_mark()
        _call_undo_hooks(job)


def _call_undo_hooks(job: _Job) -> None:
    """Call what waits for a job to be undone, once."""
    hooks, job.on_undo = job.on_undo, ()
    _call_hooks(job, hooks)


def _call_hooks(job: _Job, hooks: Sequence[Hook]) -> None:
    """Call hooks, all of them; the error of one that raises belongs to the job."""
    for hook in hooks:
        try:
            hook()
        except BaseException as error:  # noqa: BLE001 - it belongs to the job that registered the hook
            job.error = error


def _resolve(job: _Job) -> None:
    if job.error is None:
        job.future.set_result(job.result)
    else:
        job.future.set_exception(job.error)


def _undone(cause: BaseException | None) -> StoreUnavailable:
    """Return the error of a group whose transaction is gone: the lost connection, or what the database did itself."""
    if isinstance(cause, StoreUnavailable):
        return cause
    return StoreUnavailable(
        "The database undid the whole transaction.", advice="Check free disk space and the database's own log."
    )
