"""Log checkpoints as signed notes: the C2SP formats signed-note and tlog-checkpoint, with Ed25519.

A checkpoint is a small text that an auditor can keep: origin, tree size and root on a line each, an empty line, then a
line `— ORIGIN BASE64(key hash, signature)`. Whoever kept one can hold it against the root of that size in the log of
later.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from assent.terms.errors import Corrupt
from assent.vault.signatures import verify_bytes

if TYPE_CHECKING:
    from assent.vault.signatures import Signer

ED25519 = b"\x01"
KEY_HASH_BYTES = 4
FINGERPRINT_CHARS = 16


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The statement of a signed note: the log's `root` (32 bytes) at `size` leaves."""

    origin: str
    size: int
    root: bytes


def origin_of(public_key: bytes) -> str:
    """Return the name of the log that `public_key` signs; it is also the signature's key name."""
    return f"assent/{sha256(public_key).hexdigest()[:FINGERPRINT_CHARS]}"


def key_hash(name: str, public_key: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names its key."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_HASH_BYTES]


def sign_checkpoint(signer: Signer, size: int, root: bytes) -> str:
    """Write and sign a checkpoint."""
    origin = origin_of(signer.public_key)
    text = _text(origin, size, root)
    return _note(text, origin, key_hash(origin, signer.public_key) + signer.sign_bytes(text.encode()))


def open_checkpoint(note: str, public_key: bytes) -> Checkpoint:
    """Read a checkpoint; raises `Corrupt` unless every byte of it is what `public_key` signed."""
    origin = origin_of(public_key)
    text, _, signature_line = note.partition("\n\n")
    text += "\n"
    try:
        named, size_text, root_text = text.removesuffix("\n").split("\n")
        size, root = int(size_text), base64.b64decode(root_text, validate=True)
        stamp = base64.b64decode(signature_line.rsplit(" ", 1)[-1].removesuffix("\n"), validate=True)
        encoded = text.encode()
    except (ValueError, binascii.Error):
        raise _altered() from None
    exact = named == origin and note == _note(_text(origin, size, root), origin, stamp)
    right_key = stamp[:KEY_HASH_BYTES] == key_hash(origin, public_key)
    if not (exact and right_key and verify_bytes(public_key, stamp[KEY_HASH_BYTES:], encoded)):
        raise _altered()
    return Checkpoint(origin, size, root)


def _text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def _note(text: str, origin: str, stamp: bytes) -> str:
    return f"{text}\n\N{EM DASH} {origin} {base64.b64encode(stamp).decode()}\n"


def _altered() -> Corrupt:
    return Corrupt("A checkpoint of the audit log was altered, or signed by another key.")
