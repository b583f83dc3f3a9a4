"""Questions that come in one turn of the event loop are answered from one look at the store, and recorded together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assent.terms.errors import AssentError, Loading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from assent.engine import Question
    from assent.web.desk import Desk

#: Whoever waits for the answer to a question.
Waiter = asyncio.Future[bytes]


class Asking:
    """Takes questions and gives their answers as JSON, each once its record is durable."""

    def __init__(self, desk: Desk) -> None:
        """Ask the engine of this desk."""
        self._desk = desk
        self._waiting: list[tuple[Question, Waiter]] = []

    def ask(self, question: Question) -> Waiter:
        """Take one question, to be answered with those that come in the same turn."""
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._answer_all)
        self._waiting.append((question, waiter))
        return waiter

    def _answer_all(self) -> None:
        """Answer what came; while the model is being loaded everybody waits for it."""
        taken, self._waiting = self._waiting, []
        try:
            later = asyncio.get_running_loop().call_later
            answers, recorded = self._desk.engine.decisions.submit([question for question, _ in taken], later)
            bodies = [each if isinstance(each, AssentError) else each.json() for each in answers]
        except Loading:
            self._desk.warming().add_done_callback(lambda done: self._again(taken, done))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            _settle([waiter for _, waiter in taken], [error] * len(taken))
        else:
            self._desk.when_landed(recorded, lambda: _landed([waiter for _, waiter in taken], bodies, recorded))

    def _again(self, taken: list[tuple[Question, Waiter]], loaded: asyncio.Future[None]) -> None:
        """Ask once more after the model was loaded, or tell everybody that it cannot be."""
        if loaded.cancelled():  # the server is being closed
            for _, waiter in taken:
                waiter.cancel()
            return
        error = loaded.exception()
        if error is not None:
            _settle([waiter for _, waiter in taken], [error] * len(taken))
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_all)
        self._waiting += taken


def _landed(waiters: Sequence[Waiter], bodies: Sequence[bytes | BaseException], recorded: Future[None]) -> None:
    """Give the answers out now that their records are durable; where those are lost, nobody gets one."""
    error = recorded.exception()
    _settle(waiters, bodies if error is None else [error] * len(waiters))


def _settle(waiters: Sequence[Waiter], bodies: Sequence[bytes | BaseException]) -> None:
    for waiter, body in zip(waiters, bodies, strict=True):
        if waiter.done():  # whoever asked has gone
            continue
        if isinstance(body, BaseException):
            waiter.set_exception(body)
        else:
            waiter.set_result(body)
