"""People: random ids, their keys, the digests they are found by, suppression, and removal of everything about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy import delete as sql_delete

from assent.store.columns import METADATA
from assent.store.statements import PAGE_ROWS, among, delete_of_person, equal, insert_new, upsert
from assent.store.tables import ERASURES, IDENTIFIERS, LOG_LEAVES, PEOPLE, PERSON_KEYS, SUPPRESSIONS
from assent.store.topics import log
from assent.terms.ids import PersonId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from assent.store.session import Session

#: An identifier's kind and its keyed digest.
Blind = tuple[str, bytes]

ACTIVE = "active"
ERASING = "erasing"


class PersonRow(NamedTuple):
    """A person as a request needs them: id, state, and the wrapped key (None after it is destroyed)."""

    person: PersonId
    state: str
    wrapped: bytes | None
    key_id: str | None


class KeyRow(NamedTuple):
    """A person's wrapped key and which key of the key file wrapped it."""

    person: PersonId
    wrapped: bytes
    key_id: str


_ADD = insert_new(PEOPLE)
_STATE = select(PEOPLE.c.state).where(equal(PEOPLE.c.person))
_ACTIVE_AMONG = select(PEOPLE.c.person).where(among(PEOPLE.c.person, "people"), PEOPLE.c.state == ACTIVE)
_SET_STATE = update(PEOPLE).values(state=bindparam("state")).where(equal(PEOPLE.c.person))
_COUNT = select(func.count()).select_from(PEOPLE)

_FIND = select(IDENTIFIERS).where(among(IDENTIFIERS.c.blind, "blinds"))
_ADD_IDENTIFIER = insert_new(IDENTIFIERS)
_IDENTIFIERS = (
    select(IDENTIFIERS.c.kind, IDENTIFIERS.c.blind)
    .where(equal(IDENTIFIERS.c.person))
    .order_by(IDENTIFIERS.c.kind, IDENTIFIERS.c.blind)
)
_REPOINT = update(IDENTIFIERS).values(person=bindparam("target")).where(IDENTIFIERS.c.person == bindparam("source"))

_PUT_KEY = upsert(PERSON_KEYS)
_KEY = select(PERSON_KEYS.c.wrapped, PERSON_KEYS.c.key_id).where(equal(PERSON_KEYS.c.person))
_KEYS_OF = select(PERSON_KEYS.c.person, PERSON_KEYS.c.wrapped, PERSON_KEYS.c.key_id).where(
    among(PERSON_KEYS.c.person, "people")
)
_KEY_PAGE = (
    select(PERSON_KEYS).where(PERSON_KEYS.c.person > bindparam("after")).order_by(PERSON_KEYS.c.person).limit(PAGE_ROWS)
)

_SUPPRESS = insert_new(SUPPRESSIONS)
_SUPPRESSED = select(SUPPRESSIONS.c.kind, SUPPRESSIONS.c.blind).where(among(SUPPRESSIONS.c.blind, "blinds"))
_UNSUPPRESS = sql_delete(SUPPRESSIONS).where(equal(SUPPRESSIONS.c.blind), equal(SUPPRESSIONS.c.kind))

_LOAD = (
    select(IDENTIFIERS.c.kind, IDENTIFIERS.c.blind, PEOPLE.c.person, PEOPLE.c.state)
    .add_columns(PERSON_KEYS.c.wrapped, PERSON_KEYS.c.key_id)
    .join_from(IDENTIFIERS, PEOPLE, IDENTIFIERS.c.person == PEOPLE.c.person)
    .outerjoin(PERSON_KEYS, PERSON_KEYS.c.person == PEOPLE.c.person)
    .where(among(IDENTIFIERS.c.blind, "blinds"))
)

#: The erase journal keeps the random id: a backup that is restored must be erased again. The log keeps its digests.
_OUTLIVES = (ERASURES, LOG_LEAVES)
#: The tables from which a person's rows are deleted, those that others refer to last.
DELETED_FROM = tuple(
    table for table in reversed(METADATA.sorted_tables) if "person" in table.c and table not in _OUTLIVES
)
_DELETES = {table.name: delete_of_person(table) for table in DELETED_FROM}
_TRACES = {
    table.name: select(func.count()).select_from(table).where(equal(table.c.person))
    for table in (*DELETED_FROM, LOG_LEAVES)
}


def add(session: Session, person: bytes, at_ms: int) -> None:
    """Make a person known; does nothing when they are."""
    session.run(_ADD, {"person": person, "state": ACTIVE, "at_ms": at_ms})


def state(session: Session, person: bytes) -> str | None:
    """Return `active`, `erasing`, or None for an unknown person."""
    row = session.one(_STATE, {"person": person})
    return None if row is None else row[0]


def active_among(session: Session, persons: Collection[bytes]) -> set[bytes]:
    """Return those of these people who are known and not being erased."""
    return {person for (person,) in session.all(_ACTIVE_AMONG, {"people": list(persons)})}


def set_state(session: Session, person: bytes, state: str) -> bool:
    """Set a person's state; False when there is no such person."""
    return session.run(_SET_STATE, {"person": person, "state": state}) > 0


def count(session: Session) -> int:
    """Return how many people are known."""
    row = session.one(_COUNT)
    return int(row[0]) if row else 0


def find(session: Session, blinds: Sequence[Blind]) -> PersonId | None:
    """Return the person of the first of these identifiers that is known, or None."""
    rows = session.all(_FIND, {"blinds": [blind for _, blind in blinds]})
    known = {(kind, blind): person for blind, kind, person in rows}
    return next((PersonId(known[each]) for each in blinds if each in known), None)


def add_identifier(session: Session, kind: str, blind: bytes, person: bytes) -> None:
    """Let a person be found by an identifier; one that leads to a person already is not changed."""
    session.run(_ADD_IDENTIFIER, {"kind": kind, "blind": blind, "person": person})


def identifiers(session: Session, person: bytes) -> list[Blind]:
    """Return the kinds and digests that a person is found by."""
    return [(kind, blind) for kind, blind in session.all(_IDENTIFIERS, {"person": person})]


def merge(session: Session, source: bytes, target: bytes) -> int:
    """Let every identifier of `source` lead to `target`; return how many. Nothing else is moved."""
    return session.run(_REPOINT, {"source": source, "target": target})


def put_key(session: Session, person: bytes, wrapped: bytes, key_id: str) -> None:
    """Write a person's wrapped key, in place of the one before."""
    session.run(_PUT_KEY, {"person": person, "wrapped": wrapped, "key_id": key_id})


def key(session: Session, person: bytes) -> tuple[bytes, str] | None:
    """Return a person's wrapped key and the id of the key that wrapped it, or None."""
    row = session.one(_KEY, {"person": person})
    return None if row is None else (row[0], row[1])


def keys_of(session: Session, persons: Collection[bytes]) -> dict[bytes, tuple[bytes, str]]:
    """Return the wrapped keys of many people, by person, as `key` does; those without one are left out."""
    rows = session.all(_KEYS_OF, {"people": list(persons)})
    return {PersonId(person): (wrapped, key_id) for person, wrapped, key_id in rows}


def all_keys(session: Session) -> Iterator[KeyRow]:
    """Yield every wrapped key in the order of people, read page by page: keys may be rewritten meanwhile."""
    after = b""
    while page := session.all(_KEY_PAGE, {"after": after}):
        yield from map(KeyRow._make, page)
        after = page[-1][0]


def suppress(session: Session, kind: str, blind: bytes, at_ms: int) -> None:
    """Suppress an identifier: events that name it are dropped from now on."""
    session.run(_SUPPRESS, {"kind": kind, "blind": blind, "at_ms": at_ms})


def suppressed(session: Session, blinds: Sequence[Blind]) -> bool:
    """Tell whether any of these identifiers is suppressed."""
    return bool(suppressed_among(session, blinds))


def suppressed_among(session: Session, blinds: Sequence[Blind]) -> set[Blind]:
    """Return those of these identifiers that are suppressed."""
    rows = session.all(_SUPPRESSED, {"blinds": [blind for _, blind in blinds]})
    return {(kind, blind) for kind, blind in rows}.intersection(blinds)


def unsuppress(session: Session, blinds: Sequence[Blind]) -> None:
    """End the suppression of these identifiers."""
    session.run_many(_UNSUPPRESS, [{"kind": kind, "blind": blind} for kind, blind in blinds])


def load(session: Session, blinds: Sequence[Blind]) -> PersonRow | None:
    """Return the person of the first of these identifiers that is known, with state and key, in one query."""
    known = load_many(session, blinds)
    return next((known[each] for each in blinds if each in known), None)


def load_many(session: Session, blinds: Sequence[Blind]) -> dict[Blind, PersonRow]:
    """Return the people of these identifiers, by identifier; those unknown are left out."""
    rows = session.all(_LOAD, {"blinds": [blind for _, blind in blinds]})
    return {(row[0], row[1]): PersonRow._make(row[2:]) for row in rows}


def delete(session: Session, person: bytes) -> Mapping[str, int]:
    """Delete all rows about a person; return how many, by table.

    The log keeps its digests and loses the person and the details; the erase journal stays. Suppressions are not
    touched: they keep the person from coming back.
    """
    counts = {name: session.run(statement, {"person": person}) for name, statement in _DELETES.items()}
    counts[LOG_LEAVES.name] = log.drop_details(session, person)
    return counts


def traces(session: Session, person: bytes) -> Mapping[str, int]:
    """Return how many rows of each table still name a person, the erase journal left out; changes nothing."""
    return {
        name: int(row[0])
        for name, statement in _TRACES.items()
        if (row := session.one(statement, {"person": person})) is not None
    }
