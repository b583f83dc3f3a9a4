"""Looks into the tables, and changes of them, that no code of the product needs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from assent.store import Session
from assent.store.statements import among, equal
from assent.store.tables import PEOPLE, PERSON_KEYS, SUM_ROWS

_PEOPLE = select(PEOPLE.c.person).order_by(PEOPLE.c.person)
_DROP_KEY = delete(PERSON_KEYS).where(equal(PERSON_KEYS.c.person))
_SUM_ROWS = select(SUM_ROWS.c.item, SUM_ROWS.c.row).where(equal(SUM_ROWS.c.model), among(SUM_ROWS.c.item, "items"))


def all_people(session: Session) -> list[bytes]:
    """Return every person's id, in order."""
    return [person for (person,) in session.all(_PEOPLE)]


def drop_key(session: Session, person: bytes) -> bool:
    """Destroy a person's key and nothing else, as a damaged store might; False when there was none."""
    return session.run(_DROP_KEY, {"person": person}) > 0


def sum_rows(session: Session, model: str, items: Collection[int]) -> dict[int, bytes]:
    """Return the stored rows of these items of a model's sum, by item."""
    return dict(session.all(_SUM_ROWS, {"model": model, "items": list(items)}))
