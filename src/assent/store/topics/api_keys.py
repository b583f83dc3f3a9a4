"""Digests of the keys that programs use, with their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select

from assent.store.statements import equal
from assent.store.tables import API_KEYS

if TYPE_CHECKING:
    from assent.store.session import Session

_ADD = insert(API_KEYS).values({column.name: bindparam(column.name) for column in API_KEYS.columns})
_ROLE = select(API_KEYS.c.role).where(equal(API_KEYS.c.digest))
_COUNT = select(func.count()).select_from(API_KEYS)


def add(session: Session, digest: bytes, role: str, label: str, at_ms: int) -> None:
    """Let the key of this 32-byte digest act in a role; raises `Conflict` when it is known already."""
    session.run(_ADD, {"digest": digest, "role": role, "label": label, "at_ms": at_ms})


def role(session: Session, digest: bytes) -> str | None:
    """Return the role of the key of this digest, or None for a key that was never issued."""
    row = session.one(_ROLE, {"digest": digest})
    return None if row is None else row[0]


def count(session: Session) -> int:
    """Return how many keys were given out."""
    row = session.one(_COUNT)
    return int(row[0]) if row else 0
