"""One entry of the audit log: its bytes, its salted hash, its leaf, and how it is opened again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from assent.terms.errors import Corrupt
from assent.vault import seals, tree
from assent.vault.signatures import canonical

if TYPE_CHECKING:
    from assent.store.topics.log import LeafRow
    from assent.vault.seals import PersonKey

#: The meta key under which the tree's frontier is kept, in the same transaction as the leaves.
FRONTIER = "log_frontier"
SALT_BYTES = 16


def entry_bytes(salt: bytes, detail: Mapping[str, Any]) -> bytes:
    """Return the bytes under an entry's salted hash: canonical JSON of the detail and the salt (hexadecimal)."""
    return canonical({"detail": detail, "salt": salt.hex()})


def leaf_of(at_ms: int, kind: str, salted_hash: bytes) -> bytes:
    """Return the leaf hash of a row: RFC 6962 over the time (8 bytes), the salted hash (32) and the kind."""
    return tree.leaf_hash(at_ms.to_bytes(8, "big", signed=True) + salted_hash + kind.encode())


def open_entry(row: LeafRow, key: PersonKey | None) -> dict[str, Any]:
    """Open a row's entry (`key` when it is about a person); raises `Corrupt` when it does not match its hash."""
    plain = row.detail
    if plain is not None and key is not None:
        plain = key.open(seals.LOG, row.idx, plain)
    if plain is None or sha256(plain).digest() != row.leaf:
        raise Corrupt(f"Entry {row.idx} of the audit log does not match its hash.")
    entry: dict[str, Any] = json.loads(plain)
    return entry
