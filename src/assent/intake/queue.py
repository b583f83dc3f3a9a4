"""Batches that wait are taken in together: one write job for all that came while the writer was busy.

Bodies are read one after the other in a thread of the queue's own. A job is asked for when there is nothing left to
read, or enough was read: a job that begins with the first body of many seals each person's events more often than need
be, and every reader more would only compete with it for the interpreter's lock. For the same reason the reader waits a
moment for as many bodies as went into the job before: senders usually send again at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from assent.intake.parse import Batch
from assent.store import GroupQueue, Session, Store
from assent.terms.answers.events import TakenIn
from assent.terms.errors import Busy

#: Events that one job takes in at most: more would only make the first of them wait.
JOB_EVENTS_MAX = 10_000
#: What was read is worth a job of its own, even while more is being read: so many events, or so many batches.
WORTH_EVENTS = 4_000
WORTH_BATCHES = 64
#: How long the reader waits for one more body when fewer are there than went into the job before.
LINGER_SECONDS = 0.004
#: Batches that may wait, and bytes of those that are not read yet: beyond this a sender is told to come again.
WAITING_BATCHES_MAX = 2_000
WAITING_BYTES_MAX = 1 << 28


class SentBatch(NamedTuple):
    """One batch as its sender sent it; `gpc`: the request had `Sec-GPC: 1`."""

    batch: Batch
    gpc: bool


#: What takes batches in inside a write job.
Take = Callable[[Session, Sequence[SentBatch]], list[TakenIn]]
#: Reads one body.
Read = Callable[[], Batch]


class _Unread(NamedTuple):
    """One body, and who waits for it."""

    read: Read
    bytes_count: int
    gpc: bool
    future: Future[TakenIn]


class BatchQueue:
    """Hands waiting batches to the store's writer, many at once. Safe to use from several threads."""

    def __init__(self, store: Store, take: Take) -> None:
        """Have `take` called inside write jobs; each batch of a job that failed is tried alone."""
        self._jobs: GroupQueue[SentBatch, TakenIn] = GroupQueue(
            store, take, count_max=WAITING_BATCHES_MAX, weight_max=JOB_EVENTS_MAX, due=self._due, retry=True
        )
        self._came = threading.Condition(threading.Lock())
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="assent-intake")
        self._unread: deque[_Unread] = deque()
        self._unread_bytes = 0
        self._reading = False
        #: Whether more bodies may come.
        self._open = True

    def submit(self, batch: Batch, *, gpc: bool) -> Future[TakenIn]:
        """Queue a batch; the future resolves once it is durable. Raises `Busy` while too many wait."""
        self._check_room()
        return self._jobs.submit(SentBatch(batch, gpc), batch.events)

    def submit_unread(self, read: Read, bytes_count: int, *, gpc: bool) -> Future[TakenIn]:
        """Queue a body of so many bytes to be read in the queue's own thread; the future also tells what `read` raises.

        Raises `Busy` while too many wait.
        """
        future: Future[TakenIn] = Future()
        with self._came:
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
        with self._came:
            self._open = False
            self._came.notify()
        self._reader.shutdown()

    def _check_room(self) -> None:
        """Raise `Busy` when no more may wait."""
        if len(self._unread) + self._jobs.count >= WAITING_BATCHES_MAX or self._unread_bytes > WAITING_BYTES_MAX:
            raise Busy("Too many batches are waiting.")

    def _due(self) -> bool:
        """Tell whether it is time for a job: nothing is left to read, or enough was read."""
        return not self._reading or self._jobs.weight >= WORTH_EVENTS or self._jobs.count >= WORTH_BATCHES

    # -- reading -------------------------------------------------------------------------------------------------

    def _begin_reading(self) -> None:
        try:
            self._reader.submit(self._read_all)
        except RuntimeError:  # closed
            self._read_all()

    def _read_all(self) -> None:
        """Read bodies until there are none left."""
        jobs = self._jobs
        while True:
            with self._came:
                if not self._unread and self._open and not jobs.working and jobs.count < jobs.last_count:
                    self._came.wait(LINGER_SECONDS)
                if not self._unread:
                    self._reading = False
                    break
                unread = self._unread.popleft()
                self._unread_bytes -= unread.bytes_count
            self._read(unread)
        jobs.ask()

    def _read(self, unread: _Unread) -> None:
        """Read one body and queue its batch, or tell its sender at once when it cannot be read."""
        future = unread.future
        if future.cancelled():
            return
        try:
            batch = unread.read()
            self._jobs.submit(SentBatch(batch, unread.gpc), batch.events, future)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the batch
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
