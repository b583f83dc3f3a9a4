"""Records of decisions with their reasons, so that a person can ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select

from assent.store.statements import equal
from assent.store.tables import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.store.session import Session


class DecisionRow(NamedTuple):
    """One decision: a random 16-byte id, the person (None: about no person), the time, the slot, and the answer."""

    decision_id: bytes
    person: bytes | None
    at_ms: int
    slot: str
    sealed: bytes


_ADD = insert(DECISIONS).values({name: bindparam(name) for name in DecisionRow._fields})
_OF = select(DECISIONS).where(equal(DECISIONS.c.person)).order_by(DECISIONS.c.at_ms, DECISIONS.c.decision_id)
_COUNT = select(func.count()).select_from(DECISIONS)

_DROP_BEFORE = delete(DECISIONS).where(DECISIONS.c.at_ms < bindparam("at_ms"))


def add_many(session: Session, rows: Sequence[DecisionRow]) -> None:
    """Write decisions; raises `Conflict` when an id is taken or a person is not known."""
    session.run_many(_ADD, rows)


def of(session: Session, person: bytes) -> list[DecisionRow]:
    """Return the decisions about a person, oldest first."""
    return list(map(DecisionRow._make, session.all(_OF, {"person": person})))


def count(session: Session) -> int:
    """Return how many decisions are recorded."""
    row = session.one(_COUNT)
    return int(row[0]) if row else 0


def drop_before(session: Session, at_ms: int) -> int:
    """Delete the decisions made before a moment; return how many."""
    return session.run(_DROP_BEFORE, {"at_ms": at_ms})
