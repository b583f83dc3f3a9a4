"""The leaves and checkpoints of the tamper-evident log; the vault makes and verifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, insert, null, select, update

from assent.store.statements import equal, rows_of_person, upsert
from assent.store.tables import LOG_CHECKPOINTS, LOG_LEAVES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.store.session import Session


class LeafRow(NamedTuple):
    """One leaf: its place from 0, its 32-byte digest, time, kind, person, and the sealed details."""

    idx: int
    leaf: bytes
    at_ms: int
    kind: str
    person: bytes | None
    detail: bytes | None


class CheckpointRow(NamedTuple):
    """A signed state of the log: how many leaves, the 32-byte root over them, and the signed note."""

    size: int
    root: bytes
    note: str


#: A place behind every leaf.
_END = 2**62

_APPEND = insert(LOG_LEAVES).values({name: bindparam(name) for name in LeafRow._fields})
_SIZE = select(func.coalesce(func.max(LOG_LEAVES.c.idx), -1))
_RANGE = (LOG_LEAVES.c.idx >= bindparam("start"), LOG_LEAVES.c.idx < bindparam("stop"))
_LEAVES = select(LOG_LEAVES).where(*_RANGE).order_by(LOG_LEAVES.c.idx)
_LEAF = select(LOG_LEAVES).where(equal(LOG_LEAVES.c.idx))
_OF = rows_of_person(LOG_LEAVES, "idx")
_DROP_DETAILS = update(LOG_LEAVES).values(person=null(), detail=null()).where(equal(LOG_LEAVES.c.person))
_PUT_CHECKPOINT = upsert(LOG_CHECKPOINTS)
_CHECKPOINTS = select(LOG_CHECKPOINTS).order_by(LOG_CHECKPOINTS.c.size)
_LAST_CHECKPOINT = select(LOG_CHECKPOINTS).order_by(LOG_CHECKPOINTS.c.size.desc()).limit(1)


def append_leaves(session: Session, rows: Sequence[LeafRow]) -> None:
    """Append leaves at their places, which begin at `size(session)`; raises `Conflict` when one is taken."""
    session.run_many(_APPEND, rows)


def size(session: Session) -> int:
    """Return how many leaves the log has."""
    row = session.one(_SIZE)
    return int(row[0]) + 1 if row else 0


def leaves(session: Session, start: int = 0, end: int | None = None) -> list[LeafRow]:
    """Return the leaves from `start` up to, not including, `end`."""
    return list(map(LeafRow._make, session.all(_LEAVES, {"start": start, "stop": _END if end is None else end})))


def leaf(session: Session, idx: int) -> LeafRow | None:
    """Return the leaf at that place, or None."""
    row = session.one(_LEAF, {"idx": idx})
    return None if row is None else LeafRow._make(row)


def of(session: Session, person: bytes) -> list[LeafRow]:
    """Return the leaves about a person, oldest first."""
    return list(map(LeafRow._make, session.all(_OF, {"person": person})))


def drop_details(session: Session, person: bytes) -> int:
    """Delete a person and the details about them from the leaves, which stay; return how many."""
    return session.run(_DROP_DETAILS, {"person": person})


def put_checkpoint(session: Session, size: int, root: bytes, note: str) -> None:
    """Write the signed checkpoint of a size."""
    session.run(_PUT_CHECKPOINT, {"size": size, "root": root, "note": note})


def checkpoints(session: Session) -> list[CheckpointRow]:
    """Return every checkpoint, smallest first."""
    return list(map(CheckpointRow._make, session.all(_CHECKPOINTS)))


def last_checkpoint(session: Session) -> CheckpointRow | None:
    """Return the checkpoint of the largest size, or None."""
    row = session.one(_LAST_CHECKPOINT)
    return None if row is None else CheckpointRow._make(row)
