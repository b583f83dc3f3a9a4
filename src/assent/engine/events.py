"""`engine.events`: raw bodies of events, for servers that acknowledge when the write is durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.engine.acts import Act

if TYPE_CHECKING:
    from concurrent.futures import Future

    from assent.engine.rooms import Rooms
    from assent.terms.answers.events import TakenIn

ACTS = (Act.of("take_in", "browser", "server"),)


class EventActs:
    """Takes in raw bodies without waiting; `Engine.take_in` waits for the same."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def submit(
        self, body: bytes, *, encoding: str | None = None, kind: str | None = None, gpc: bool = False
    ) -> Future[TakenIn]:
        """Read a raw body and queue the write; the future resolves once it is durable, or raises what is wrong."""
        return self._rooms.intake.submit_body(body, kind=kind, content_encoding=encoding, gpc=gpc)

    def write_key_of(self, body: bytes, encoding: str | None = None) -> str | None:
        """Return the `writeKey` that a tracking body carries, if any."""
        return self._rooms.intake.write_key_of(body, encoding)
