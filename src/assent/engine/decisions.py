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
    """Questions answered together and recorded together; `Engine.decide` asks one and waits."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def submit(
        self, questions: Sequence[Question], later: Later | None = None
    ) -> tuple[list[Answer | AssentError], Future[None]]:
        """Decide now and queue the records; acknowledge only once the future resolves.

        What is wrong with one question stands in its answer's place. With an event loop's `call_later` as `later`,
        decisions that come close together are written together, and nothing is waited for: `Loading` is raised where
        no model may answer yet.
        """
        rooms = self._rooms
        with rooms.store.read() as session:
            answers = rooms.decider.decide_all(session, questions, wait=later is None)
        records = [answer.recorded for answer in answers if not isinstance(answer, AssentError)]
        rooms.acts.add("decide", len(records))
        return answers, rooms.recorder.submit(records, later)
