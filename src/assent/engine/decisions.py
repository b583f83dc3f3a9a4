"""`engine.decisions`: many questions at once, for servers that acknowledge when the records are durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.engine.acts import Act
from assent.terms.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from assent.decide import Answer, Later, Question
    from assent.engine.rooms import Rooms

ACTS = (Act.of("decide", "server"),)


class DecisionActs:
    """Answers many questions in one read and one write; `Engine.decide` asks one and waits."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def submit(
        self, questions: Sequence[Question], later: Later | None = None
    ) -> tuple[list[Answer | AssentError], Future[None]]:
        """Decide now and queue the records; the caller acknowledges once the future resolves.

        The error of one question takes the place of its answer. With an event loop's `call_later` as `later`,
        decisions that come close together are written together, and this never waits: it raises `Loading` while no
        model may answer yet.
        """
        rooms = self._rooms
        with rooms.store.read() as session:
            answers = rooms.decider.decide_all(session, questions, wait=later is None)
        records = [answer.recorded for answer in answers if not isinstance(answer, AssentError)]
        rooms.acts.add("decide", len(records))
        return answers, rooms.recorder.submit(records, later)
