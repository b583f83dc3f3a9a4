"""Batches that wait are taken in together: one write job for all that came while the writer was busy."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from assent.terms.errors import AssentError, Busy

if TYPE_CHECKING:
    from assent.intake.parse import Batch
    from assent.store import Session, Store
    from assent.terms.answers import TakenIn

#: Events that one job takes in at most: more would only make the first of them wait.
JOB_EVENTS_MAX = 10_000
#: A job that was asked for while another ran and finds fewer events than this steps back behind what is queued, so that
#: more come together; so often at most. A step costs an empty transaction, and gives way to whoever is reading batches.
WORTH_EVENTS = 4_000
STEPS_BACK_MAX = 3
#: Batches that may wait: beyond this a sender is told to come again.
WAITING_BATCHES_MAX = 2_000

#: What takes batches in inside a write job, each with whether its request had `Sec-GPC: 1`.
Take = Callable[["Session", Sequence[tuple["Batch", bool]]], "list[TakenIn]"]


class _Waiting:
    """One batch, and who waits for it."""

    __slots__ = ("batch", "future", "gpc")

    def __init__(self, batch: Batch, gpc: bool) -> None:
        self.batch = batch
        self.gpc = gpc
        self.future: Future[TakenIn] = Future()


class BatchQueue:
    """Hands waiting batches to the store's writer, many at once. Safe to use from several threads."""

    def __init__(self, store: Store, take: Take, failed: Callable[[], None]) -> None:
        """`failed` is called, in the writer's thread, when what a job did was undone."""
        self._store = store
        self._take = take
        self._failed = failed
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._asked = False
        self._running = False

    def submit(self, batch: Batch, *, gpc: bool) -> Future[TakenIn]:
        """Queue a batch; the future resolves once it is durable. Raises `Busy` while too many wait."""
        waiting = _Waiting(batch, gpc)
        with self._lock:
            if len(self._waiting) >= WAITING_BATCHES_MAX:
                raise Busy("Too many batches are waiting.")
            self._waiting.append(waiting)
            ask, self._asked = not self._asked, True
        if ask:
            self._ask()
        return waiting.future

    def _ask(self) -> None:
        """Ask the writer for a job; batches that come until it begins go with it."""
        try:
            self._run(None, STEPS_BACK_MAX if self._running else 0)
        except AssentError as error:
            with self._lock:
                self._asked = False
            for each in self._pop(sys.maxsize):
                each.future.set_exception(error)

    def _run(self, alone: _Waiting | None, steps_back: int = 0) -> None:
        """Queue a job for everything that waits when it begins, or for one batch alone."""
        group: list[_Waiting] = [] if alone is None else [alone]

        def job(session: Session) -> list[TakenIn]:
            if alone is None:
                if steps_back and self._few() and self._step_back(steps_back - 1):
                    return []
                group.extend(self._next_group())
            self._running = True
            return self._take(session, [(each.batch, each.gpc) for each in group])

        self._store.submit(job).add_done_callback(lambda future: self._settle(group, future))

    def _step_back(self, steps_back: int) -> bool:
        """Queue the job once more, behind what is queued; False when there is no room."""
        try:
            self._run(None, steps_back)
        except AssentError:
            return False
        return True

    def _few(self) -> bool:
        """Tell whether little enough waits that stepping back may gather more."""
        with self._lock:
            return sum(each.batch.events for each in self._waiting) < WORTH_EVENTS

    def _next_group(self) -> list[_Waiting]:
        """Take what waits, up to the bound; the rest gets a job of its own, or goes along when there can be none."""
        group = self._pop(JOB_EVENTS_MAX)
        with self._lock:
            self._asked = more = bool(self._waiting)
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
            while self._waiting and (events == 0 or events + self._waiting[0].batch.events <= events_max):
                waiting = self._waiting.popleft()
                if waiting.future.set_running_or_notify_cancel():
                    events += waiting.batch.events
                    group.append(waiting)
        return group

    def _settle(self, group: list[_Waiting], future: Future[list[TakenIn]]) -> None:
        """In the writer's thread, before its next job: tell everybody who waits, or try each batch alone."""
        if not group:
            return
        self._running = False
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
