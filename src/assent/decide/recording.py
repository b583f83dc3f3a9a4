"""Step 8's other half: decisions that wait are written together, in one job for all that came meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

from assent.store.topics import decisions, people
from assent.terms.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.decide.answer import Recorded
    from assent.store import Session, Store

#: Calls a function after so many seconds: an event loop's `call_later`.
Later: TypeAlias = "Callable[[float, Callable[[], None]], object]"

#: How long a decision may wait for others to be written with: a commit costs as much as several decisions.
LINGER_SECONDS = 0.002


#: Decisions that are acknowledged together, and what whoever asked for them waits for.
_Waiting: TypeAlias = "tuple[Sequence[Recorded], Future[None]]"


class Recorder:
    """Hands decisions to the store's writer. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Write to this store."""
        self._store = store
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        #: Whether a job was asked for that has not begun: it takes whatever waits by then.
        self._asked = False
        #: How many decisions wait, and how many went into the last job: as many are likely to come now.
        self._count, self._usual = 0, 1

    def submit(self, recorded: Sequence[Recorded], later: Later | None = None) -> Future[None]:
        """Queue decisions; the future resolves once all of them are durable.

        With `later` they wait a moment, until as many are there as were written together last. A decision about
        somebody who is being erased, or is gone, is not written. Raises `Busy`, `StoreUnavailable`.
        """
        future: Future[None] = Future()
        if not recorded:
            future.set_result(None)
            return future
        with self._lock:
            first = not self._waiting
            self._waiting.append((recorded, future))
            self._count += len(recorded)
            if self._asked:
                return future
            self._asked = later is None or self._count >= self._usual
            ask = self._asked
        if ask:
            self._ask()
        elif first and later is not None:
            later(LINGER_SECONDS, self._ask_for_rest)
        return future

    def _ask_for_rest(self) -> None:
        """Ask for a job for those whose moment is over, unless one was asked for."""
        with self._lock:
            if self._asked or not self._waiting:
                return
            self._asked = True
        self._ask()

    def _ask(self) -> None:
        """Ask the writer for one job; what comes until it begins goes with it."""
        group: list[_Waiting] = []

        def job(session: Session) -> None:
            group.extend(self._take())
            _write(session, [each for recorded, _ in group for each in recorded])

        try:
            asked = self._store.submit(job)
        except AssentError as error:
            _settle(self._take(), error)
        else:
            asked.add_done_callback(lambda done: self._done(group, done.exception()))

    def _done(self, group: list[_Waiting], error: BaseException | None) -> None:
        """Tell everybody whose decisions were in the job, or would have been: one that never began took nobody."""
        _settle(group if group or error is None else self._take(), error)

    def _take(self) -> list[_Waiting]:
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._usual, self._count = max(self._count, 1), 0
            self._asked = False
        return taken


def _write(session: Session, group: list[Recorded]) -> None:
    """Write the rows, but for those of people who are being erased or are gone."""
    active = people.active_among(session, {each.person for each in group if each.person is not None})
    decisions.add_many(session, [each.row for each in group if each.person is None or each.person in active])


def _settle(group: list[_Waiting], error: BaseException | None) -> None:
    for _, future in group:
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
