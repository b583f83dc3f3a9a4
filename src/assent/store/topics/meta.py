"""Facts about the store itself, the epoch of its caches, and sequences of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text, bindparam, cast, select
from sqlalchemy.dialects.postgresql import insert

from assent.store.statements import equal, upsert
from assent.store.tables import META, SEQUENCES

if TYPE_CHECKING:
    from assent.store.session import Session

EPOCH = "epoch"
ERASURES = "erasures"

_GET = select(META.c.value).where(equal(META.c.key))
_PUT = upsert(META)
_BUMP = (
    insert(META)
    .values(key=bindparam("key"), value="1")
    .on_conflict_do_update(index_elements=["key"], set_={"value": cast(cast(META.c.value, BigInteger) + 1, Text)})
    .returning(META.c.value)
)
_ALLOCATE = insert(SEQUENCES).values(name=bindparam("name"), next=bindparam("next"))
_ALLOCATE_NEXT = _ALLOCATE.on_conflict_do_update(
    index_elements=["name"], set_={"next": SEQUENCES.c.next + _ALLOCATE.excluded.next}
).returning(SEQUENCES.c.next)


def get(session: Session, key: str) -> str | None:
    """Return a fact, or None."""
    row = session.one(_GET, {"key": key})
    return None if row is None else row[0]


def put(session: Session, key: str, value: str) -> None:
    """Write a fact."""
    session.run(_PUT, {"key": key, "value": value})


def epoch(session: Session) -> int:
    """Return the epoch: caches filled at a lower one are out of date."""
    return int(get(session, EPOCH) or 0)


def bump_epoch(session: Session) -> int:
    """Raise the epoch, in the transaction that changes consent, keys, suppression or erasure; return it."""
    return _bump(session, EPOCH)


def bump_erasures(session: Session) -> int:
    """Count one more erasure, in the transaction that destroys the key; every process then drops its cached people."""
    return _bump(session, ERASURES)


def _bump(session: Session, key: str) -> int:
    row = session.one(_BUMP, {"key": key})
    return int(row[0]) if row else 0


def allocate(session: Session, name: str, count: int = 1) -> int:
    """Return the first of `count` numbers of the sequence `name`, never given before or again; the first ever is 1."""
    row = session.one(_ALLOCATE_NEXT, {"name": name, "next": count})
    return int(row[0]) - count + 1 if row else 0
