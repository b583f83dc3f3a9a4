"""Step 8's other half: decisions that wait are written together, in one job for all that came meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

from assent.store import decisions, people
from assent.terms.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.decide.steps import Recorded
    from assent.store import Session, Store

#: Calls a function in a moment: an event loop's `call_soon`.
Later: TypeAlias = "Callable[[Callable[[], None]], object]"


class Recorder:
    """Hands decisions to the store's writer. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Write to this store."""
        self._store = store
        self._lock = threading.Lock()
        self._waiting: list[tuple[Recorded, Future[None]]] = []

    def submit(self, recorded: Recorded, later: Later | None = None) -> Future[None]:
        """Queue a decision; the future resolves once it is durable.

        `later` is told to ask for the write in a moment, so that decisions made in one turn of an event loop share it.
        A decision about somebody who is being erased, or is gone, is not written. Raises `Busy`, `StoreUnavailable`.
        """
        future: Future[None] = Future()
        with self._lock:
            first = not self._waiting
            self._waiting.append((recorded, future))
        if first and later is not None:
            later(self._ask)
        elif first:
            self._ask()
        return future

    def _ask(self) -> None:
        """Ask the writer for one job; what comes until it begins goes with it."""
        group: list[tuple[Recorded, Future[None]]] = []

        def job(session: Session) -> None:
            group.extend(self._take())
            _write(session, [recorded for recorded, _ in group])

        try:
            asked = self._store.submit(job)
        except AssentError as error:
            _settle(self._take(), error)
        else:
            asked.add_done_callback(lambda done: _settle(group or self._take(), done.exception()))

    def _take(self) -> list[tuple[Recorded, Future[None]]]:
        with self._lock:
            taken, self._waiting = self._waiting, []
        return taken


def _write(session: Session, group: list[Recorded]) -> None:
    """Write the rows, but for those of people who are being erased or are gone."""
    active = people.active_among(session, {each.person for each in group if each.person is not None})
    decisions.add_many(session, [each.row for each in group if each.person is None or each.person in active])


def _settle(group: list[tuple[Recorded, Future[None]]], error: BaseException | None) -> None:
    for _, future in group:
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
