"""`engine.purposes`: the purposes that people can agree to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.terms.answers.purposes import PurposeText

if TYPE_CHECKING:
    from assent.engine.rooms import Rooms


class PurposeActs:
    """Lists the declared purposes with the texts of their notices."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def all(self) -> list[PurposeText]:
        """Return every purpose with its plain text, legal basis, data used, retention and recipients."""
        return [PurposeText(**row) for row in self._rooms.purposes.rows()]
