"""Signatures: Ed25519 (RFC 8032) over canonical JSON: keys sorted, no spaces, UTF-8."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from assent.terms.errors import InvalidInput

PUBLIC_KEY_BYTES = 32


def canonical(value: Any) -> bytes:
    """Write a JSON value as canonical bytes: keys sorted, no spaces, UTF-8; raises `InvalidInput` for anything else."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "What is to be signed is not JSON.", advice="Sign maps of text, whole numbers, booleans, lists and maps."
        ) from error


class Signer:
    """The store's signing key."""

    __slots__ = ("_private", "public_key")

    def __init__(self, seed: bytes) -> None:
        """Derive the Ed25519 key of a 32-byte seed."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._private.public_key().public_bytes_raw()

    def sign_bytes(self, content: bytes) -> bytes:
        """Return the 64-byte signature of `content`."""
        return self._private.sign(content)

    def sign(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return `{"payload", "signature", "public_key"}`; both keys and signature are base64."""
        return {
            "payload": dict(payload),
            "signature": base64.b64encode(self.sign_bytes(canonical(payload))).decode(),
            "public_key": base64.b64encode(self.public_key).decode(),
        }


def verify_bytes(public_key: bytes, signature: bytes, content: bytes) -> bool:
    """Tell whether `signature` is that of `content` under the 32-byte `public_key`."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def verify_signed(signed: Mapping[str, Any], public_key: bytes | None = None) -> bool:
    """Tell whether a signed map is intact, and signed by `public_key` (32 bytes) when one is given.

    Without `public_key` a true answer means only that the map fits the key it names; anyone can make such a map.
    """
    try:
        named = base64.b64decode(signed["public_key"], validate=True)
        signature = base64.b64decode(signed["signature"], validate=True)
        content = canonical(signed["payload"])
    except (KeyError, TypeError, ValueError, binascii.Error, InvalidInput):
        return False
    if public_key is not None and named != public_key:
        return False
    return verify_bytes(named, signature, content)
