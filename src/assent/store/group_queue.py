"""A queue that gives waiting items to the store's writer together: one job for all that came until it begins."""

from __future__ import annotations

import sys
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from assent.terms.errors import AssentError, Busy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.store.session import Session
    from assent.store.store import Store

T = TypeVar("T")
R = TypeVar("R")


class Waiting(NamedTuple, Generic[T, R]):
    """One item, its weight in a job, and the future that waits for it."""

    item: T
    weight: int
    future: Future[R]


class GroupQueue(Generic[T, R]):
    """Makes write jobs of items that wait at the same time; each caller has a future. Safe to use from several threads.

    A job takes all items that wait when it begins, so only one job is requested at a time: at once, or when the owner's
    `due` returns True. `last_count` and `last_weight` are those of the last job: senders usually send as much again
    soon, so an owner may wait a moment for it.

    The store's own writer groups jobs, not items, and the web's batcher of questions runs in one event loop, without
    threads or jobs. Neither can use this queue.
    """

    def __init__(
        self,
        store: Store,
        work: Callable[[Session, Sequence[T]], Sequence[R]],
        *,
        count_max: int,
        weight_max: int = sys.maxsize,
        due: Callable[[], bool] | None = None,
        retry: bool = False,
    ) -> None:
        """Call `work` inside a job of `store` for an answer to each item; at most `count_max` items wait.

        `weight_max`: the largest weight of one job. `due` is called under the queue's lock. With `retry` each item of a
        job that failed is tried alone.
        """
        self.count_max = count_max
        self.weight_max = weight_max
        #: The weight of all waiting items.
        self.weight = 0
        self.last_count = self.last_weight = 1
        #: True while a job runs: items that come meanwhile wait for the next one.
        self.working = False
        self._store = store
        self._work = work
        self._due = due
        self._retry = retry
        self._lock = threading.Lock()
        self._waiting: deque[Waiting[T, R]] = deque()
        #: True when a job was requested that has not begun.
        self._requested = False

    @property
    def count(self) -> int:
        """The number of waiting items."""
        return len(self._waiting)

    def submit(self, item: T, weight: int = 1, future: Future[R] | None = None) -> Future[R]:
        """Queue an item; the future (`future` if given) resolves once it is durable. Raises `Busy` while too many wait.

        The future raises the error of `work`, and `Busy` or `StoreUnavailable` when the writer accepts no job.
        """
        future = Future() if future is None else future
        with self._lock:
            if len(self._waiting) >= self.count_max:
                raise Busy("Too much waits to be written.")
            self._waiting.append(Waiting(item, weight, future))
            self.weight += weight
            ask = self._claim_turn()
        if ask:
            self._ask()
        return future

    def ask(self) -> None:
        """Request a job from the writer if one is due."""
        with self._lock:
            ask = self._claim_turn()
        if ask:
            self._ask()

    def _claim_turn(self) -> bool:
        """Tell whether the caller must request a job; call it under the lock."""
        if not self._waiting or self._requested or self.working or (self._due is not None and not self._due()):
            return False
        self._requested = True
        return True

    def _ask(self) -> None:
        try:
            self._queue_job(None)
        except AssentError as error:
            self._fail_all(error)

    def _queue_job(self, alone: Waiting[T, R] | None) -> None:
        """Queue a job for everything that waits when it begins, or for one item alone."""
        group: list[Waiting[T, R]] | None = None if alone is None else [alone]

        def job(session: Session) -> Sequence[R]:
            nonlocal group
            if group is not None:
                return self._work(session, [each.item for each in group])
            group = self._begin()
            try:
                return self._work(session, [each.item for each in group])
            finally:
                with self._lock:
                    self.working = False
                self.ask()

        self._store.submit(job).add_done_callback(lambda done: self._resolve(group, done))

    def _begin(self) -> list[Waiting[T, R]]:
        """Take the waiting items up to the bound; the rest gets another job, or joins this one if none is accepted."""
        with self._lock:
            group = self._pop(self.weight_max)
            self.working = True
            self._requested = more = bool(self._waiting)
        if more:
            try:
                self._queue_job(None)
            except AssentError:
                with self._lock:
                    self._requested = False
                    group += self._pop(sys.maxsize)
        self.last_count, self.last_weight = len(group), sum(each.weight for each in group)
        return group

    def _pop(self, weight_max: int) -> list[Waiting[T, R]]:
        """Take items off the queue, at least one, and skip those whose sender gave up; call it under the lock."""
        group: list[Waiting[T, R]] = []
        weight = 0
        while self._waiting and (weight == 0 or weight + self._waiting[0].weight <= weight_max):
            waiting = self._waiting.popleft()
            self.weight -= waiting.weight
            if waiting.future.set_running_or_notify_cancel():
                weight += waiting.weight
                group.append(waiting)
        return group

    def _resolve(self, group: list[Waiting[T, R]] | None, done: Future[Sequence[R]]) -> None:
        """Resolve every future of a job, or try each item alone; runs in the writer's thread before its next job."""
        error = done.exception()
        if group is None:
            if error is not None:  # the job never began: it took no item, and all that wait would have been in it
                self._fail_all(error)
        elif error is None:
            for each, answer in zip(group, done.result(), strict=True):
                each.future.set_result(answer)
        elif self._retry and len(group) > 1:
            for each in group:
                self._try_alone(each)
        else:
            for each in group:
                each.future.set_exception(error)

    def _try_alone(self, waiting: Waiting[T, R]) -> None:
        try:
            self._queue_job(waiting)
        except AssentError as error:
            waiting.future.set_exception(error)

    def _fail_all(self, error: BaseException) -> None:
        """Resolve every waiting future with an error."""
        with self._lock:
            self._requested = False
            group = self._pop(sys.maxsize)
        for each in group:
            each.future.set_exception(error)
