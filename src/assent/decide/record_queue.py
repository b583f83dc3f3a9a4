"""Step 8's other half: decisions that wait are written together, in one job for all that came meanwhile."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

from assent.store import GroupQueue
from assent.store.topics import decisions, people
from assent.terms.limits import limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.store import Session, Store
    from assent.store.topics.decisions import DecisionRow

#: Calls a function after so many seconds: an event loop's `call_later`.
Later: TypeAlias = "Callable[[float, Callable[[], None]], object]"

#: A decision may wait so long for others to be written with: a commit costs as much as several decisions.
LINGER_SECONDS = 0.002


class RecordQueue:
    """Hands decisions to the store's writer. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Write to this store."""
        self._queue: GroupQueue[Sequence[DecisionRow], None] = GroupQueue(
            store, _write, count_max=limit("decide_queue_calls_max"), due=self._due
        )
        #: True while those that wait were promised a moment that is not over yet.
        self._lingering = False

    def submit(self, recorded: Sequence[DecisionRow], later: Later | None = None) -> Future[None]:
        """Queue decisions; the future resolves once all of them are durable.

        With `later` they wait a moment, until as many are there as were written together last. A decision about
        somebody who is being erased, or is gone, is not written. Raises `Busy` while too many wait; the future tells
        `Busy` and `StoreUnavailable`.
        """
        if not recorded:
            future: Future[None] = Future()
            future.set_result(None)
            return future
        if later is None:
            self._lingering = False
        elif not self._queue.count and len(recorded) < self._queue.last_weight:
            self._lingering = True
            later(LINGER_SECONDS, self._end_moment)
        return self._queue.submit(recorded, len(recorded))

    def _end_moment(self) -> None:
        self._lingering = False
        self._queue.ask()

    def _due(self) -> bool:
        return not self._lingering or self._queue.weight >= self._queue.last_weight


def _write(session: Session, groups: Sequence[Sequence[DecisionRow]]) -> list[None]:
    """Write the rows, but for those of people who are being erased or are gone."""
    rows = [row for group in groups for row in group]
    active = people.active_among(session, {row.person for row in rows if row.person is not None})
    decisions.add_many(session, [row for row in rows if row.person is None or row.person in active])
    return [None] * len(groups)
