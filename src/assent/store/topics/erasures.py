"""The erase journal: an interrupted erasure is resumed, and a restored backup is erased again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from assent.store.statements import equal
from assent.store.tables import ERASURES

if TYPE_CHECKING:
    from assent.store.session import Session


class ErasureRow(NamedTuple):
    """One erasure: a random 16-byte id, the person, the last step, times, facts (JSON), and the certificate (JSON)."""

    erasure_id: bytes
    person: bytes
    step: str
    requested_ms: int
    completed_ms: int | None = None
    facts: str = "{}"
    certificate: str | None = None


_ADD = insert(ERASURES).values({name: bindparam(name) for name in ErasureRow._fields})
_GET = select(ERASURES).where(equal(ERASURES.c.erasure_id))
_IN_ORDER = (ERASURES.c.requested_ms, ERASURES.c.erasure_id)
_ALL = select(ERASURES).order_by(*_IN_ORDER)
_OPEN = select(ERASURES).where(ERASURES.c.completed_ms.is_(None)).order_by(*_IN_ORDER)
_OF_PERSON = select(ERASURES).where(equal(ERASURES.c.person)).order_by(*_IN_ORDER)
_OF_ERASURE = ERASURES.c.erasure_id == bindparam("of_erasure")
_ADVANCE = update(ERASURES).values(step=bindparam("step")).where(_OF_ERASURE)
_ADVANCE_FACTS = update(ERASURES).values(step=bindparam("step"), facts=bindparam("facts")).where(_OF_ERASURE)
_COMPLETE = (
    update(ERASURES)
    .values(step="completed", completed_ms=bindparam("completed_ms"), certificate=bindparam("certificate"))
    .where(_OF_ERASURE, ERASURES.c.completed_ms.is_(None))
)


def add(session: Session, row: ErasureRow) -> None:
    """Open an erasure; raises `Conflict` when its id is taken."""
    session.run(_ADD, row._asdict())


def get(session: Session, erasure_id: bytes) -> ErasureRow | None:
    """Return the erasure of that id, or None."""
    row = session.one(_GET, {"erasure_id": erasure_id})
    return None if row is None else ErasureRow._make(row)


def advance(session: Session, erasure_id: bytes, step: str, facts: str | None = None) -> bool:
    """Note that a step is done, and new facts if given; False when there is no such erasure."""
    parameters = {"of_erasure": erasure_id, "step": step}
    if facts is None:
        return session.run(_ADVANCE, parameters) > 0
    return session.run(_ADVANCE_FACTS, parameters | {"facts": facts}) > 0


def complete(session: Session, erasure_id: bytes, completed_ms: int, certificate: str) -> bool:
    """Close an erasure with its certificate; its step becomes `completed`. False when it is not open."""
    parameters = {"of_erasure": erasure_id, "completed_ms": completed_ms, "certificate": certificate}
    return session.run(_COMPLETE, parameters) > 0


def open_ones(session: Session) -> list[ErasureRow]:
    """Return the erasures that are not complete, oldest first."""
    return list(map(ErasureRow._make, session.all(_OPEN)))


def of_person(session: Session, person: bytes) -> list[ErasureRow]:
    """Return the erasures of a person, oldest first."""
    return list(map(ErasureRow._make, session.all(_OF_PERSON, {"person": person})))


def all(session: Session) -> list[ErasureRow]:  # noqa: A001 - reads as erasures.all(session)
    """Return every erasure, oldest first."""
    return list(map(ErasureRow._make, session.all(_ALL)))
