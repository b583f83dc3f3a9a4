"""The tamper-evident log: an RFC 6962 Merkle tree over what was done, with signed checkpoints.

Each row has a salted hash of its entry. The entry itself (salt and detail, canonical JSON) is kept beside the hash, and
is sealed under the person's own key when it is about a person. Erasing a person deletes the entry and keeps the hash,
so the tree stays valid and nothing in it leads to a person. A leaf of the tree covers the time, the kind and the salted
hash. A tree cannot show that the log was cut short together with its checkpoints: keep a checkpoint elsewhere for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from assent.store.topics import log, meta, people
from assent.store.topics.log import LeafRow
from assent.terms.errors import Corrupt, NotFound
from assent.terms.ids import PersonId
from assent.vault import notes, seals, tree, verification
from assent.vault.entries import FRONTIER, SALT_BYTES, entry_bytes, leaf_of, open_entry

if TYPE_CHECKING:
    from assent.store import Session
    from assent.terms.answers.proofs import Check
    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness
    from assent.vault.seals import PersonKey
    from assent.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Act:
    """One act for the log; with `person` its detail is sealed under that person's key."""

    kind: str
    detail: Mapping[str, Any]
    person: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """One opened entry of the log."""

    index: int
    at_ms: int
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Proof that one leaf is in the log of a signed checkpoint (RFC 9162 section 2.1.3)."""

    index: int
    size: int
    leaf: bytes
    path: Sequence[bytes]
    checkpoint: str

    def to_json(self) -> dict[str, Any]:
        """Return the proof as a JSON map, bytes in hexadecimal."""
        return {
            "index": self.index,
            "size": self.size,
            "leaf": self.leaf.hex(),
            "path": [step.hex() for step in self.path],
            "checkpoint": self.checkpoint,
        }

    def holds(self, public_key: bytes) -> bool:
        """Tell whether the leaf is in a log that `public_key` (32 bytes) signed."""
        try:
            checkpoint = notes.open_checkpoint(self.checkpoint, public_key)
        except Corrupt:
            return False
        return checkpoint.size == self.size and tree.verify_inclusion(
            self.leaf, self.index, self.size, self.path, checkpoint.root
        )


def _proof(value: Mapping[str, Any]) -> InclusionProof:
    """Read what `InclusionProof.to_json` wrote; raises `KeyError`, `TypeError` or `ValueError` when it is not that."""
    return InclusionProof(
        index=int(value["index"]),
        size=int(value["size"]),
        leaf=bytes.fromhex(value["leaf"]),
        path=tuple(bytes.fromhex(step) for step in value["path"]),
        checkpoint=str(value["checkpoint"]),
    )


@dataclass(frozen=True, slots=True)
class Proven:
    """An act about no person as the log has it: time, kind, the text of its entry, and the proof."""

    at_ms: int
    kind: str
    entry: str
    proof: InclusionProof

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON map."""
        return {"at_ms": self.at_ms, "kind": self.kind, "entry": self.entry, "proof": self.proof.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Proven:
        """Read what `to_json` wrote; raises `Corrupt` when it has another shape."""
        try:
            return cls(int(value["at_ms"]), str(value["kind"]), str(value["entry"]), _proof(value["proof"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(
                "This is not a proven entry of an audit log.", advice="Hand in what was given out, unchanged."
            ) from error

    def detail(self) -> dict[str, Any]:
        """Return the detail of the entry; raises `Corrupt` when it is not an entry."""
        try:
            detail = json.loads(self.entry)["detail"]
        except (KeyError, TypeError, ValueError):
            detail = None
        if not isinstance(detail, dict):
            raise Corrupt("This is not an entry of an audit log.", advice="Hand in what was given out, unchanged.")
        return detail

    def holds(self, public_key: bytes) -> bool:
        """Tell whether exactly this entry is in a log that `public_key` (32 bytes) signed."""
        leaf = leaf_of(self.at_ms, self.kind, sha256(self.entry.encode()).digest())
        return leaf == self.proof.leaf and self.proof.holds(public_key)


class AuditLog:
    """Appends to the log inside write jobs, proves and verifies it."""

    def __init__(self, vault: Vault, clock: Clock | None = None, randomness: Randomness | None = None) -> None:
        """Write a log that the vault signs; clock and randomness are the vault's unless given."""
        self._vault = vault
        self._clock = vault.clock if clock is None else clock
        self._randomness = vault.randomness if randomness is None else randomness

    def append(self, session: Session, kind: str, detail: Mapping[str, Any], person: PersonId | None = None) -> int:
        """Log one act and sign a checkpoint, inside a write job; return the leaf's index.

        With `person` the detail is sealed under that person's key; without, it must not be about a person. Raises
        `NotFound` when the person has no key.
        """
        return self.append_many(session, [Act(kind, detail, person)])[0]

    def append_many(self, session: Session, acts: Sequence[Act]) -> list[int]:
        """Log many acts under one checkpoint; return their indexes."""
        if not acts:
            return []
        frontier = tree.Frontier.from_text(meta.get(session, FRONTIER))
        now_ms = self._clock.now_ms()
        rows = []
        for act in acts:
            plain = entry_bytes(self._randomness.bytes(SALT_BYTES), act.detail)
            salted_hash = sha256(plain).digest()
            detail = plain
            if act.person is not None:
                detail = self._key(session, act.person).seal(seals.LOG, frontier.size, plain)
            rows.append(LeafRow(frontier.size, salted_hash, now_ms, act.kind, act.person, detail))
            frontier.append(leaf_of(now_ms, act.kind, salted_hash))
        log.append_leaves(session, rows)
        meta.put(session, FRONTIER, frontier.to_text())
        root = frontier.root()
        log.put_checkpoint(session, frontier.size, root, notes.sign_checkpoint(self._vault.signer, frontier.size, root))
        return [row.idx for row in rows]

    def _key(self, session: Session, person: PersonId) -> PersonKey:
        row = people.key(session, person)
        if row is None:
            raise NotFound("An act on a person without a key cannot be logged under that key.")
        return self._vault.key(person, *row)

    # -- reading -------------------------------------------------------------------------------------------------

    def of(self, session: Session, person: PersonId) -> list[Logged]:
        """Return every act on one person, opened with their key, oldest first."""
        rows = log.of(session, person)
        key = self._key(session, person) if rows else None
        return [Logged(row.idx, row.at_ms, row.kind, open_entry(row, key)["detail"]) for row in rows]

    # -- proofs --------------------------------------------------------------------------------------------------

    def append_proven(self, session: Session, kind: str, detail: Mapping[str, Any]) -> Proven:
        """Log one act about no person, and prove it at once: the path of the newest leaf is the frontier before it."""
        before = tree.Frontier.from_text(meta.get(session, FRONTIER))
        index = self.append(session, kind, detail)
        row, checkpoint = log.leaf(session, index), log.last_checkpoint(session)
        if row is None or row.detail is None or checkpoint is None:
            raise Corrupt("The audit log lost an entry inside its own transaction.")
        leaf = leaf_of(row.at_ms, row.kind, row.leaf)
        proof = InclusionProof(index, index + 1, leaf, tuple(reversed(before.nodes)), checkpoint.note)
        return Proven(row.at_ms, kind, row.detail.decode(), proof)

    def verify(self, session: Session) -> list[Check]:
        """Check every entry against its hash and every checkpoint against the tree; one flipped byte shows."""
        return verification.verify_log(session, self._vault)
