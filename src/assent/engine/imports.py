"""`engine.imports`: files of events, items and orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.engine.rooms import Rooms
    from assent.terms.answers.imports import Imported


class ImportActs:
    """Files in, every line accounted for."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def run(
        self,
        shape: str,
        path: Path | str,
        *,
        grant: Sequence[str] = (),
        evidence: str | None = None,
        consent_column: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Imported:
        """Import a file of shape `events`, `items` or `online-retail`; resumable, and a second import adds nothing.

        People's lines need a stated consent: purposes to `grant` with `evidence`, or a column that holds them.
        `progress` is called with lines done and lines in all. Raises `InvalidInput`, `NotFound`, `UnknownPurpose`.
        """
        from assent.intake.files.importer import Importer  # noqa: PLC0415 - data frames take long to load

        rooms = self._rooms
        return Importer(rooms.store, rooms.intake, rooms.clock).run(
            shape, Path(path), grant=grant, evidence=evidence, consent_column=consent_column, progress=progress
        )
