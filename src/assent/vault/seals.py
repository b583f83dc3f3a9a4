"""Seals: all data about a person is encrypted under that person's own AES-256-GCM key.

A seal is bound to its place: the associated data are schema version, person, sequence number and table, so that
no sealed bytes can be moved to another person, table or row. Layout: version (1 byte), nonce (12), ciphertext and
tag (16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.terms.errors import Corrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assent.terms.ids import PersonId

#: The schema version of what is sealed: the first byte of every seal, and part of its associated data.
SCHEMA = b"\x02"
#: The version of seals from before purposes had twelve bits: history entries had another layout, nothing else had.
FIRST_SCHEMA = b"\x01"
#: The version of wrapped keys, which never changed.
WRAP_SCHEMA = b"\x01"
NONCE_BYTES = 12

# The places of seals, each with its sequence number and content.
RECORDS = "records"  # the record's seq; a MessagePack list of the person's events of one batch
TRAILS = "trails"  # the record's seq; packed history entries
HISTORIES = "histories"  # the last folded seq; packed history entries
CONTRIBUTIONS = "contributions"  # 0; the table name is `contributions:MODEL`
DECISIONS = "decisions"  # `decision_number(decision_id)`; a MessagePack map
EVIDENCE = "ledger"  # 0; text
LOG = "log"  # the leaf's index; canonical JSON
WRAPPED = b"person key"

DECISION_NUMBER_BYTES = 7

_RECORDS, _TRAILS = RECORDS.encode(), TRAILS.encode()
_PAIR_BYTES = 2 * NONCE_BYTES
#: A request for random bytes costs as much as sealing a record.
_BUFFER_BYTES = 64 * _PAIR_BYTES


class PersonKey:
    """One person's unwrapped key: seals and opens data at a place (table, sequence). Never leaves the process."""

    __slots__ = ("_decrypt", "_encrypt", "_head", "_random_bytes", "person")

    def __init__(self, person: PersonId, secret: bytes, random_bytes: Callable[[int], bytes]) -> None:
        """Take the 32-byte `secret` of `person`; `random_bytes(count)` returns the bytes of nonces."""
        cipher = AESGCM(secret)
        self.person = person
        self._encrypt = cipher.encrypt
        self._decrypt = cipher.decrypt
        self._random_bytes = random_bytes
        self._head = SCHEMA + person

    def seal(self, table: str, sequence: int, plaintext: bytes) -> bytes:
        """Seal `plaintext` for its place: a table and a sequence number from 0 to 2^64 - 1."""
        nonce = self._random_bytes(NONCE_BYTES)
        place = self._head + sequence.to_bytes(8, "big") + table.encode()
        return SCHEMA + nonce + self._encrypt(nonce, plaintext, place)

    def seal_record(self, sequence: int, events: bytes, trail: bytes, nonces: bytes) -> tuple[bytes, bytes | None]:
        """Seal one record's events, and its trail unless it is empty, under two nonces (`seal_records` makes them)."""
        place = self._head + sequence.to_bytes(8, "big")
        encrypt = self._encrypt
        nonce = nonces[:NONCE_BYTES]
        sealed = SCHEMA + nonce + encrypt(nonce, events, place + _RECORDS)
        if not trail:
            return sealed, None
        nonce = nonces[NONCE_BYTES:]
        return sealed, SCHEMA + nonce + encrypt(nonce, trail, place + _TRAILS)

    def open(self, table: str, sequence: int, sealed: bytes) -> bytes:
        """Open a seal made for exactly this place; raises `Corrupt` when it was altered or moved."""
        schema = sealed[:1]
        if schema in (SCHEMA, FIRST_SCHEMA):
            place = schema + self.person + sequence.to_bytes(8, "big") + table.encode()
            try:
                return self._decrypt(sealed[1:13], sealed[13:], place)
            except (InvalidTag, ValueError):
                pass
        raise Corrupt(f"A sealed entry of '{table}' was altered or moved.")


def seal_records(
    random_bytes: Callable[[int], bytes], rows: Iterable[tuple[PersonKey, int, bytes, bytes]]
) -> list[tuple[bytes, bytes | None]]:
    """Seal the events and trails of many records, each under its person's key; nonces are cut from a buffer.

    Rows are key, sequence number, events, trail (empty for none); the answer is both, sealed, as `PersonKey.seal` does.
    """
    sealed = []
    nonces, at = b"", 0
    for key, sequence, events, trail in rows:
        if at == len(nonces):
            nonces, at = random_bytes(_BUFFER_BYTES), 0
        sealed.append(key.seal_record(sequence, events, trail, nonces[at : at + _PAIR_BYTES]))
        at += _PAIR_BYTES
    return sealed


def decision_number(decision_id: bytes) -> int:
    """Return the sequence number under which a decision is sealed: the first seven bytes of its id."""
    return int.from_bytes(decision_id[:DECISION_NUMBER_BYTES], "big")


def wrap(kek: AESGCM, person: PersonId, secret: bytes, nonce: bytes) -> bytes:
    """Wrap a person's key under a key-encryption key, bound to the person; returns version, nonce, ciphertext, tag."""
    return WRAP_SCHEMA + nonce + kek.encrypt(nonce, secret, WRAP_SCHEMA + person + WRAPPED)


def unwrap(kek: AESGCM, person: PersonId, wrapped: bytes) -> bytes:
    """Unwrap a person's key; raises `Corrupt` when it was altered, or belongs to another person."""
    if wrapped[:1] == WRAP_SCHEMA:
        try:
            return kek.decrypt(wrapped[1:13], wrapped[13:], WRAP_SCHEMA + person + WRAPPED)
        except (InvalidTag, ValueError):
            pass
    raise Corrupt("A person's wrapped key was altered.")
