"""The ledger of consent, append-only, and beside it each person's present consents."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, insert, or_, select

from assent.store.statements import among, equal, insert_new, rows_of_person, upsert
from assent.store.tables import CONSENT_STATES, CONSENTS, NOTICES, PEOPLE
from assent.store.topics import meta
from assent.terms.ids import PersonId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.store.session import Session


class LedgerRow(NamedTuple):
    """One entry of the ledger; `evidence` is sealed, times are milliseconds since the epoch."""

    entry_id: str
    person: bytes
    purpose: str
    action: str
    at_ms: int
    expires_ms: int | None
    source: str
    notice_hash: str
    language: str
    evidence: bytes | None


class StateRow(NamedTuple):
    """A person's present consent for one purpose, and the ledger entry that made it."""

    person: PersonId
    purpose: str
    action: str
    at_ms: int
    expires_ms: int | None
    source: str
    notice_hash: str
    entry_id: str


class NoticeRow(NamedTuple):
    """The exact text that consent was asked with; `hash` is its digest."""

    hash: str
    language: str
    text: str


_ENTRY_COLUMNS = [CONSENTS.c[name] for name in LedgerRow._fields]
_APPEND = insert(CONSENTS).values({column.name: bindparam(column.name) for column in CONSENTS.columns})
_ENTRIES = select(*_ENTRY_COLUMNS).where(equal(CONSENTS.c.person)).order_by(CONSENTS.c.seq)
_ENTRY = select(*_ENTRY_COLUMNS).where(equal(CONSENTS.c.entry_id))

_PUT_STATE = upsert(CONSENT_STATES)
_STATES = rows_of_person(CONSENT_STATES, "purpose")
_STATE = select(CONSENT_STATES).where(equal(CONSENT_STATES.c.person), equal(CONSENT_STATES.c.purpose))
_STATES_MANY = select(CONSENT_STATES).where(among(CONSENT_STATES.c.person, "people"))
_GRANTED = (
    select(CONSENT_STATES.c.person)
    .join_from(CONSENT_STATES, PEOPLE, CONSENT_STATES.c.person == PEOPLE.c.person)
    .where(
        equal(CONSENT_STATES.c.purpose),
        CONSENT_STATES.c.action == "granted",
        or_(CONSENT_STATES.c.expires_ms.is_(None), CONSENT_STATES.c.expires_ms > bindparam("now_ms")),
        PEOPLE.c.state == "active",
    )
    .order_by(CONSENT_STATES.c.person)
)

_RUN_OUT = (
    select(CONSENT_STATES.c.person)
    .join_from(CONSENT_STATES, PEOPLE, CONSENT_STATES.c.person == PEOPLE.c.person)
    .where(
        CONSENT_STATES.c.action == "granted",
        CONSENT_STATES.c.expires_ms <= bindparam("now_ms"),
        PEOPLE.c.state == "active",
    )
    .group_by(CONSENT_STATES.c.person)
    .order_by(CONSENT_STATES.c.person)
)

_PUT_NOTICE = insert_new(NOTICES)
_NOTICE = select(NOTICES).where(equal(NOTICES.c.hash))


def append(session: Session, row: LedgerRow) -> int:
    """Append one entry and make it the person's present state for its purpose; return its place in the ledger.

    Raises `Conflict` when the entry id is taken or the person is not known.
    """
    seq = meta.allocate(session, CONSENTS.name)
    entry = row._asdict()
    session.run(_APPEND, {"seq": seq, **entry})
    session.run(_PUT_STATE, entry)
    return seq


def state(session: Session, person: bytes, purpose: str) -> StateRow | None:
    """Return a person's present state for one purpose, or None without an entry."""
    row = session.one(_STATE, {"person": person, "purpose": purpose})
    return None if row is None else StateRow._make(row)


def states(session: Session, person: bytes) -> list[StateRow]:
    """Return a person's present states, in the order of purposes."""
    return list(map(StateRow._make, session.all(_STATES, {"person": person})))


def states_many(session: Session, persons: Sequence[bytes]) -> dict[bytes, list[StateRow]]:
    """Return the present states of many people, by person; the answer has each of them."""
    answer: dict[bytes, list[StateRow]] = {person: [] for person in persons}
    for row in session.all(_STATES_MANY, {"people": list(answer)}):
        answer[row[0]].append(StateRow._make(row))
    return answer


def entries(session: Session, person: bytes) -> list[LedgerRow]:
    """Return a person's ledger entries, oldest first."""
    return list(map(LedgerRow._make, session.all(_ENTRIES, {"person": person})))


def entry(session: Session, entry_id: str) -> LedgerRow | None:
    """Return the entry of that public id, or None."""
    row = session.one(_ENTRY, {"entry_id": entry_id})
    return None if row is None else LedgerRow._make(row)


def granted_people(session: Session, purpose: str, now_ms: int) -> list[PersonId]:
    """Return the people whose grant for a purpose is in force at `now_ms`, without those being erased, in order."""
    return [PersonId(person) for (person,) in session.all(_GRANTED, {"purpose": purpose, "now_ms": now_ms})]


def run_out(session: Session, now_ms: int) -> list[PersonId]:
    """Return the people with an expired consent that has no `expired` entry yet."""
    return [PersonId(row[0]) for row in session.all(_RUN_OUT, {"now_ms": now_ms})]


def put_notice(session: Session, hash_: str, language: str, text: str) -> None:
    """Keep a notice's text under its digest; one that is kept already stays as it is."""
    session.run(_PUT_NOTICE, {"hash": hash_, "language": language, "text": text})


def notice(session: Session, hash_: str) -> NoticeRow | None:
    """Return the notice of that digest, or None."""
    row = session.one(_NOTICE, {"hash": hash_})
    return None if row is None else NoticeRow._make(row)
