"""Authentication by key, and permission by its role: an act that the role does not name is refused."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from assent.engine import ROLES
from assent.terms.errors import Forbidden, Unauthenticated
from assent.terms.limits import limit

if TYPE_CHECKING:
    from assent.engine import Engine

#: The act of a route that needs no key.
PUBLIC = "public"

_KEY_CHARS_MAX = limit("key_chars_max")


def key_in(authorization: bytes) -> str | None:
    """Read the key out of an Authorization header: `Bearer KEY`, or `Basic` with the key as the user name.

    Returns None for anything else.
    """
    scheme, _, rest = authorization.partition(b" ")
    try:
        match scheme.lower():
            case b"bearer":
                key = rest.strip().decode()
            case b"basic":
                key = base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
            case _:
                return None
    except (UnicodeDecodeError, binascii.Error):
        return None
    return key if 0 < len(key) <= _KEY_CHARS_MAX else None


def admit(engine: Engine, key: str | None, act: str) -> None:
    """Let a key do an act, or raise `Unauthenticated` (no key, unknown key) or `Forbidden` (its role may not)."""
    role = engine.keys.role(key) if key is not None else None
    if role is None:
        raise Unauthenticated("No key was sent, or one that this store never gave out.")
    if act not in ROLES.get(role, frozenset()):
        raise Forbidden(f"A key of the role {role} may not do this.")
