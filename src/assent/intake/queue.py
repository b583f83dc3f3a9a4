"""The queue of batches: one write job takes in all batches that came while the writer was busy.

One thread of the queue reads bodies one after the other. It starts a job when nothing is left to read, or enough was
read: a job for the first body alone would seal each person's events more often, and more readers would compete with
the job for the interpreter's lock. After a job the reader waits up to 4 ms for as many bodies as the last job had,
because senders usually send again at once.
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
from assent.terms.limits import limit

#: One job takes in about so many events: more would make the first of them wait.
JOB_EVENTS = 10_000
#: So many events or batches are worth a job, even while more is being read.
WORTH_EVENTS = 4_000
WORTH_BATCHES = 64
#: The reader waits so long for one more body when it has fewer than the last job had.
LINGER_SECONDS = 0.004
_WAITING_BATCHES_MAX = limit("intake_waiting_batches_max")
_WAITING_BYTES_MAX = limit("intake_waiting_bytes_max")


class SentBatch(NamedTuple):
    """One batch as its sender sent it; `gpc`: the request had `Sec-GPC: 1`."""

    batch: Batch
    gpc: bool


#: Takes batches in, inside a write job.
TakeIn = Callable[[Session, Sequence[SentBatch]], list[TakenIn]]
#: Reads one body.
Read = Callable[[], Batch]


class _Unread(NamedTuple):
    """A body that is not read yet, and the future of its sender."""

    read: Read
    bytes_count: int
    gpc: bool
    future: Future[TakenIn]


class BatchQueue:
    """Hands waiting batches to the store's writer, many at once. Safe to use from several threads."""

    def __init__(self, store: Store, take_in: TakeIn) -> None:
        """Call `take_in` inside write jobs; each batch of a job that failed is tried alone."""
        self._jobs: GroupQueue[SentBatch, TakenIn] = GroupQueue(
            store, take_in, count_max=_WAITING_BATCHES_MAX, weight_max=JOB_EVENTS, due=self._due, retry=True
        )
        self._came = threading.Condition(threading.Lock())
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="assent-intake")
        self._unread: deque[_Unread] = deque()
        self._unread_bytes = 0
        self._reading = False
        #: False once the queue is closed.
        self._open = True

    def submit(self, batch: Batch, *, gpc: bool) -> Future[TakenIn]:
        """Queue a batch; the future resolves once it is durable. Raises `Busy` while too many wait."""
        self._check_room()
        return self._jobs.submit(SentBatch(batch, gpc), batch.events)

    def submit_unread(self, read: Read, bytes_count: int, *, gpc: bool) -> Future[TakenIn]:
        """Queue a body of so many bytes to be read in the queue's own thread; the future raises what `read` raises.

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
        """Read the bodies that wait and start their job; later bodies are read in their sender's thread."""
        with self._came:
            self._open = False
            self._came.notify()
        self._reader.shutdown()

    def _check_room(self) -> None:
        """Raise `Busy` when the queue is full."""
        if len(self._unread) + self._jobs.count >= _WAITING_BATCHES_MAX or self._unread_bytes > _WAITING_BYTES_MAX:
            raise Busy("Too many batches are waiting.")

    def _due(self) -> bool:
        """Tell whether a job is due: nothing is left to read, or enough was read."""
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
        """Read one body and queue its batch; one that cannot be read fails its sender's future at once."""
        future = unread.future
        if future.cancelled():
            return
        try:
            batch = unread.read()
            self._jobs.submit(SentBatch(batch, unread.gpc), batch.events, future)
        except BaseException as error:  # noqa: BLE001 - the sender's future raises it
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
