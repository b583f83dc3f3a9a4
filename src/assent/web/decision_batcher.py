"""Batches of questions: those of one turn of the event loop share one read of the store and one write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assent.terms.errors import AssentError, Loading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from assent.engine import Question
    from assent.web.http.engine_bridge import EngineBridge

#: The future of one answer as JSON.
Waiter = asyncio.Future[bytes]


class DecisionBatcher:
    """Answers questions as JSON, each once its record is durable."""

    def __init__(self, bridge: EngineBridge) -> None:
        self._bridge = bridge
        self._waiting: list[tuple[Question, Waiter]] = []

    def ask(self, question: Question) -> Waiter:
        """Queue one question, to be answered with those of the same turn."""
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._answer_all)
        self._waiting.append((question, waiter))
        return waiter

    def _answer_all(self) -> None:
        """Answer the questions of this turn; while the model is being loaded they all wait."""
        batch, self._waiting = self._waiting, []
        try:
            later = asyncio.get_running_loop().call_later
            answers, recorded = self._bridge.engine.decisions.submit([question for question, _ in batch], later)
            bodies = [each if isinstance(each, AssentError) else each.json() for each in answers]
        except Loading:
            self._bridge.warming().add_done_callback(lambda done: self._again(batch, done))
        except Exception as error:  # noqa: BLE001 - each request gets it as its own
            _resolve([waiter for _, waiter in batch], [error] * len(batch))
        else:
            self._bridge.when_committed(recorded, lambda: _committed([waiter for _, waiter in batch], bodies, recorded))

    def _again(self, batch: list[tuple[Question, Waiter]], loaded: asyncio.Future[None]) -> None:
        """Ask once more after the model was loaded, or give every question the error."""
        if loaded.cancelled():  # the server is being closed
            for _, waiter in batch:
                waiter.cancel()
            return
        error = loaded.exception()
        if error is not None:
            _resolve([waiter for _, waiter in batch], [error] * len(batch))
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_all)
        self._waiting += batch


def _committed(waiters: Sequence[Waiter], bodies: Sequence[bytes | BaseException], recorded: Future[None]) -> None:
    """Give the answers out now that their records are durable; where those are lost, give the error instead."""
    error = recorded.exception()
    _resolve(waiters, bodies if error is None else [error] * len(waiters))


def _resolve(waiters: Sequence[Waiter], bodies: Sequence[bytes | BaseException]) -> None:
    for waiter, body in zip(waiters, bodies, strict=True):
        if waiter.done():  # the client has gone
            continue
        if isinstance(body, BaseException):
            waiter.set_exception(body)
        else:
            waiter.set_result(body)
