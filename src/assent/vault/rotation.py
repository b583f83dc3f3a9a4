"""Rotation: person keys are wrapped anew under another key-encryption key; the seals under them do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.topics import meta, people
from assent.terms.errors import KeyFileMissing
from assent.terms.ids import PersonId
from assent.vault import seals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from assent.store import Session


def rewrap(
    session: Session, keks: Mapping[str, AESGCM], current: str, random_bytes: Callable[[int], bytes], count: int | None
) -> int:
    """Wrap up to `count` person keys that another key wraps under `current`; return how many are left."""
    waiting = [row for row in people.all_keys(session) if row[2] != current]
    for person, wrapped, key_id in waiting[:count]:
        kek = keks.get(key_id)
        if kek is None:
            raise KeyFileMissing("A person's key is wrapped by a key that neither key file holds.")
        secret = seals.unwrap(kek, PersonId(person), wrapped)
        wrapped_anew = seals.wrap(keks[current], PersonId(person), secret, random_bytes(seals.NONCE_BYTES))
        people.put_key(session, person, wrapped_anew, current)
    if waiting:
        meta.bump_epoch(session)
    return len(waiting[count:]) if count is not None else 0
