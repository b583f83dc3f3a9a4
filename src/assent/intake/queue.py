"""Batches that wait are taken in together: one write job for all that came while the writer was busy.

Bodies are read one after the other in a thread of the queue's own. A job is asked for when there is nothing left to
read, or enough was read: a job that begins with the first body of many seals each person's events more often than need
be, and every reader more would only compete with it for the interpreter's lock. For the same reason the reader looks
out a moment for as many bodies as went into the job before: whoever sent them is about to send again.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.terms.errors import AssentError, Busy

if TYPE_CHECKING:
    from assent.intake.parse import Batch
    from assent.store import Session, Store
    from assent.terms.answers.events import TakenIn

#: Events that one job takes in at most: more would only make the first of them wait.
JOB_EVENTS_MAX = 10_000
#: What was read is worth a job of its own, even while more is being read: so many events, or so many batches.
WORTH_EVENTS = 4_000
WORTH_BATCHES = 64
#: How long the reader looks out for one more body when fewer are there than went into the job before.
LINGER_SECONDS = 0.004
#: Batches that may wait, and bytes of those that are not read yet: beyond this a sender is told to come again.
WAITING_BATCHES_MAX = 2_000
WAITING_BYTES_MAX = 1 << 28

#: What takes batches in inside a write job, each with whether its request had `Sec-GPC: 1`.
Take = Callable[["Session", Sequence[tuple["Batch", bool]]], "list[TakenIn]"]
#: Reads one body.
Read = Callable[[], "Batch"]


@dataclass(frozen=True, slots=True, eq=False)
class _Unread:
    """One body, and who waits for it."""

    read: Read
    bytes_count: int
    gpc: bool
    future: Future[TakenIn]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """One batch, and who waits for it."""

    batch: Batch
    gpc: bool
    future: Future[TakenIn]
    events: int


class BatchQueue:
    """Hands waiting batches to the store's writer, many at once. Safe to use from several threads."""

    def __init__(self, store: Store, take: Take, failed: Callable[[], None]) -> None:
        """`failed` is called, in the writer's thread, when what a job did was undone."""
        self._store = store
        self._take = take
        self._failed = failed
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="assent-intake")
        self._unread: deque[_Unread] = deque()
        self._unread_bytes = 0
        self._reading = False
        #: What was read and waits for a job, and how many events that is.
        self._ready: deque[_Waiting] = deque()
        self._ready_events = 0
        #: Whether a job was asked for that has not begun, and whether one is at work.
        self._asked = False
        self._taking = False
        #: How many batches went into the last job, and whether more bodies may come.
        self._usual = 1
        self._open = True

    def submit(self, batch: Batch, *, gpc: bool) -> Future[TakenIn]:
        """Queue a batch; the future resolves once it is durable. Raises `Busy` while too many wait."""
        future: Future[TakenIn] = Future()
        with self._lock:
            self._check_room()
            self._add(batch, gpc, future)
        self._ask()
        return future

    def submit_unread(self, read: Read, bytes_count: int, *, gpc: bool) -> Future[TakenIn]:
        """Queue a body of so many bytes to be read in the queue's own thread; the future also tells what `read` raises.

        Raises `Busy` while too many wait.
        """
        future: Future[TakenIn] = Future()
        with self._lock:
            self._check_room()
            self._unread.append(_Unread(read, bytes_count, gpc, future))
            self._unread_bytes += bytes_count
            begin, self._reading = not self._reading, True
            self._came.notify()
        if begin:
            self._begin_reading()
        return future

    def close(self) -> None:
        """Read what is not read yet and ask for the job that takes it in; later bodies are read by who brings them."""
        with self._lock:
            self._open = False
            self._came.notify()
        self._reader.shutdown()

    # -- reading -------------------------------------------------------------------------------------------------

    def _begin_reading(self) -> None:
        try:
            self._reader.submit(self._read_all)
        except RuntimeError:  # closed
            self._read_all()

    def _read_all(self) -> None:
        """Read bodies until there are none left."""
        while True:
            with self._lock:
                if not self._unread and self._open and not self._taking and len(self._ready) < self._usual:
                    self._came.wait(LINGER_SECONDS)
                if not self._unread:
                    self._reading = False
                    break
                unread = self._unread.popleft()
                self._unread_bytes -= unread.bytes_count
            self._read(unread)
            self._ask()
        self._ask()

    def _read(self, unread: _Unread) -> None:
        """Read one body, and tell its sender at once when it cannot be read."""
        future = unread.future
        if future.cancelled():
            return
        try:
            batch = unread.read()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the batch
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            with self._lock:
                self._add(batch, unread.gpc, future)

    def _add(self, batch: Batch, gpc: bool, future: Future[TakenIn]) -> None:
        """Put a batch that was read where the next job takes it; under the lock."""
        events = batch.events
        self._ready.append(_Waiting(batch, gpc, future, events))
        self._ready_events += events

    def _check_room(self) -> None:
        """Raise `Busy` when no more may wait; under the lock."""
        if len(self._unread) + len(self._ready) >= WAITING_BATCHES_MAX or self._unread_bytes > WAITING_BYTES_MAX:
            raise Busy("Too many batches are waiting.")

    # -- jobs ----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Ask the writer for a job if it is time for one; batches that come until it begins go with it."""
        with self._lock:
            enough = self._ready_events >= WORTH_EVENTS or len(self._ready) >= WORTH_BATCHES
            if not self._ready or self._asked or self._taking or (self._reading and not enough):
                return
            self._asked = True
        try:
            self._run(None)
        except AssentError as error:
            with self._lock:
                self._asked = False
            for each in self._pop(sys.maxsize):
                each.future.set_exception(error)

    def _run(self, alone: _Waiting | None) -> None:
        """Queue a job for everything that waits when it begins, or for one batch alone."""
        group: list[_Waiting] = [] if alone is None else [alone]

        def job(session: Session) -> list[TakenIn]:
            if alone is None:
                group.extend(self._next_group())
            try:
                return self._take(session, [(each.batch, each.gpc) for each in group])
            finally:
                if alone is None:
                    with self._lock:
                        self._taking = False
                    self._ask()

        self._store.submit(job).add_done_callback(lambda future: self._settle(group, future))

    def _next_group(self) -> list[_Waiting]:
        """Take what waits, up to the bound; the rest gets a job of its own, or goes along when there can be none."""
        group = self._pop(JOB_EVENTS_MAX)
        with self._lock:
            self._taking = True
            self._usual = len(group)
            self._asked = more = bool(self._ready)
        if more:
            try:
                self._run(None)
            except AssentError:
                with self._lock:
                    self._asked = False
                group += self._pop(sys.maxsize)
        return group

    def _pop(self, events_max: int) -> list[_Waiting]:
        """Take waiting batches off the queue, at least one; those whose sender gave up are left out."""
        group = []
        events = 0
        with self._lock:
            while self._ready and (events == 0 or events + self._ready[0].events <= events_max):
                waiting = self._ready.popleft()
                self._ready_events -= waiting.events
                if waiting.future.set_running_or_notify_cancel():
                    events += waiting.events
                    group.append(waiting)
        return group

    def _settle(self, group: list[_Waiting], future: Future[list[TakenIn]]) -> None:
        """In the writer's thread, before its next job: tell everybody who waits, or try each batch alone."""
        error = future.exception()
        if error is None:
            for each, taken in zip(group, future.result(), strict=True):
                each.future.set_result(taken)
            return
        self._failed()
        for each in group:
            if len(group) > 1:
                self._try_alone(each)
            else:
                each.future.set_exception(error)

    def _try_alone(self, waiting: _Waiting) -> None:
        try:
            self._run(waiting)
        except AssentError as error:
            waiting.future.set_exception(error)
