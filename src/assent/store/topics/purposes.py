"""The bits of purposes in records, each given to one purpose forever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select

from assent.store.tables import PURPOSES

if TYPE_CHECKING:
    from assent.store.session import Session

_BITS = select(PURPOSES.c.id, PURPOSES.c.bit).order_by(PURPOSES.c.bit)
_ADD = insert(PURPOSES).values({column.name: bindparam(column.name) for column in PURPOSES.columns})


def bits(session: Session) -> dict[str, int]:
    """Return the bit of every purpose that ever got one here, by the purpose's id."""
    return dict(session.all(_BITS))


def add(session: Session, purpose_id: str, bit: int, now_ms: int) -> None:
    """Give a bit to a purpose, inside a write job; raises `Conflict` when the purpose or the bit has one already."""
    session.run(_ADD, {"id": purpose_id, "bit": bit, "first_seen": now_ms})
