"""The progress of each import, so that an interrupted one continues where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from assent.store.statements import equal, upsert
from assent.store.tables import IMPORTS

if TYPE_CHECKING:
    from assent.store.session import Session

_PROGRESS = select(IMPORTS.c.position, IMPORTS.c.counts).where(equal(IMPORTS.c.import_id))
_ADVANCE = upsert(IMPORTS)


def progress(session: Session, import_id: str) -> tuple[int, str] | None:
    """Return how much of an import is done and its table of counts (JSON text), or None before it began."""
    row = session.one(_PROGRESS, {"import_id": import_id})
    return None if row is None else (row[0], row[1])


def advance(session: Session, import_id: str, position: int, table: str) -> None:
    """Note how much of an import is done and its table of counts (JSON text), in the job that does it."""
    session.run(_ADVANCE, {"import_id": import_id, "position": int(position), "counts": table})
