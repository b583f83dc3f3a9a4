"""Sealed records, and the compact histories folded from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, update

from assent.store.statements import among, equal, upsert
from assent.store.tables import HISTORIES, RECORDS
from assent.terms.ids import PersonId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.store.session import Session


class RecordRow(NamedTuple):
    """One person's part of one batch: `sealed` events, sealed history entries (`trail`), and the purposes' bits."""

    seq: int
    person: bytes
    at_ms: int
    purposes: int
    sealed: bytes
    trail: bytes | None


class HistoryRow(NamedTuple):
    """A person's folded history: sealed entries of every record up to `through_seq`."""

    sealed: bytes
    through_seq: int


#: People in one page of the search for old records.
PEOPLE_PAGE = 500

#: The sequence of record numbers.
SEQUENCE = "records"

_COLUMNS = [RECORDS.c[name] for name in RecordRow._fields]
_ADD = insert(RECORDS).values({name: bindparam(name) for name in RecordRow._fields})
_OF = select(*_COLUMNS).where(equal(RECORDS.c.person)).order_by(RECORDS.c.seq)
_COUNT = select(func.count()).select_from(RECORDS)
_REPLACE = (
    update(RECORDS)
    .values(sealed=bindparam("sealed"), trail=bindparam("trail"), purposes=bindparam("purposes"))
    .where(RECORDS.c.seq == bindparam("of_seq"))
)
_STRIP = (
    update(RECORDS)
    .values(purposes=RECORDS.c.purposes.bitwise_and(bindparam("kept_bits")))
    .where(equal(RECORDS.c.person))
)
_DROP_USELESS = delete(RECORDS).where(equal(RECORDS.c.person), RECORDS.c.purposes == 0)

_DROP = delete(RECORDS).where(RECORDS.c.seq == bindparam("of_seq"))
_PEOPLE_BEFORE = (
    select(RECORDS.c.person)
    .where(RECORDS.c.at_ms < bindparam("at_ms"), RECORDS.c.person > bindparam("after"))
    .group_by(RECORDS.c.person)
    .order_by(RECORDS.c.person)
    .limit(PEOPLE_PAGE)
)

_TRAILS = (
    select(RECORDS.c.seq, RECORDS.c.trail)
    .where(equal(RECORDS.c.person), RECORDS.c.seq > bindparam("after_seq"), RECORDS.c.trail.is_not(None))
    .order_by(RECORDS.c.seq)
)
_TRAILS_OF = (
    select(RECORDS.c.person, RECORDS.c.seq, RECORDS.c.trail)
    .join_from(RECORDS, HISTORIES, RECORDS.c.person == HISTORIES.c.person, isouter=True)
    .where(
        among(RECORDS.c.person, "people"),
        RECORDS.c.seq > func.coalesce(HISTORIES.c.through_seq, 0),
        RECORDS.c.trail.is_not(None),
    )
    .order_by(RECORDS.c.person, RECORDS.c.seq)
)

_LONG_TAILS = (
    select(RECORDS.c.person)
    .join_from(RECORDS, HISTORIES, RECORDS.c.person == HISTORIES.c.person, isouter=True)
    .where(RECORDS.c.seq > func.coalesce(HISTORIES.c.through_seq, 0), RECORDS.c.trail.is_not(None))
    .group_by(RECORDS.c.person)
    .having(func.count() > bindparam("trails_max"))
    .order_by(RECORDS.c.person)
)

_HISTORY = select(HISTORIES.c.sealed, HISTORIES.c.through_seq).where(equal(HISTORIES.c.person))
_HISTORIES_OF = select(HISTORIES.c.person, HISTORIES.c.sealed, HISTORIES.c.through_seq).where(
    among(HISTORIES.c.person, "people")
)
_PUT_HISTORY = upsert(HISTORIES)
_DROP_HISTORY = delete(HISTORIES).where(equal(HISTORIES.c.person))


def add_many(session: Session, rows: Sequence[RecordRow]) -> None:
    """Write records; their numbers come from `meta.allocate(session, SEQUENCE, n)`.

    Raises `Conflict` when a number is taken or a person is not known.
    """
    session.run_many(_ADD, rows)


def of(session: Session, person: bytes) -> list[RecordRow]:
    """Return a person's records, oldest first."""
    return list(map(RecordRow._make, session.all(_OF, {"person": person})))


def count(session: Session) -> int:
    """Return how many records there are."""
    row = session.one(_COUNT)
    return int(row[0]) if row else 0


def replace(session: Session, seq: int, sealed: bytes, trail: bytes | None, purposes: int) -> bool:
    """Write a record anew under its number; False when there is none of that number."""
    return session.run(_REPLACE, {"of_seq": seq, "sealed": sealed, "trail": trail, "purposes": purposes}) > 0


def strip_purpose(session: Session, person: bytes, bit: int) -> int:
    """Take a purpose's bit from a person's records, delete those that serve no purpose any more, return how many."""
    session.run(_STRIP, {"person": person, "kept_bits": ~bit})
    return session.run(_DROP_USELESS, {"person": person})


def drop(session: Session, seq: int) -> bool:
    """Delete one record; False when it was not there."""
    return session.run(_DROP, {"of_seq": seq}) > 0


def people_before(session: Session, at_ms: int, after: bytes = b"") -> list[PersonId]:
    """Return up to `PEOPLE_PAGE` people past `after`, in order, who have a record taken in before `at_ms`."""
    return [PersonId(row[0]) for row in session.all(_PEOPLE_BEFORE, {"at_ms": at_ms, "after": after})]


def trails(session: Session, person: bytes, after_seq: int) -> list[tuple[int, bytes]]:
    """Return the numbers and sealed trails of a person's records after `after_seq`, oldest first."""
    return [(seq, trail) for seq, trail in session.all(_TRAILS, {"person": person, "after_seq": after_seq})]


def trails_of(session: Session, persons: Sequence[bytes]) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return the trails of many people that are not folded into their history yet, oldest first."""
    answer: dict[bytes, list[tuple[int, bytes]]] = {person: [] for person in persons}
    for person, seq, trail in session.all(_TRAILS_OF, {"people": list(answer)}):
        answer[person].append((seq, trail))
    return answer


def long_tails(session: Session, trails_max: int) -> list[PersonId]:
    """Return the people who have more than `trails_max` trails that are not folded into their history."""
    return [PersonId(row[0]) for row in session.all(_LONG_TAILS, {"trails_max": trails_max})]


def history(session: Session, person: bytes) -> HistoryRow | None:
    """Return a person's folded history, or None."""
    row = session.one(_HISTORY, {"person": person})
    return None if row is None else HistoryRow._make(row)


def histories_of(session: Session, persons: Sequence[bytes]) -> dict[bytes, HistoryRow]:
    """Return the folded histories of many people, by person; those without one are left out."""
    rows = session.all(_HISTORIES_OF, {"people": list(dict.fromkeys(persons))})
    return {PersonId(person): HistoryRow(sealed, through_seq) for person, sealed, through_seq in rows}


def put_history(session: Session, person: bytes, sealed: bytes, through_seq: int) -> None:
    """Write a person's folded history, in place of the one before."""
    session.run(_PUT_HISTORY, {"person": person, "sealed": sealed, "through_seq": through_seq})


def drop_history(session: Session, person: bytes) -> bool:
    """Delete a person's folded history; False when there was none."""
    return session.run(_DROP_HISTORY, {"person": person}) > 0
