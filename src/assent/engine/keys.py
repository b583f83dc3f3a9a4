"""`engine.keys`: API keys, of which the store keeps digests only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.engine.acts import ROLE_NAMES
from assent.store.topics import api_keys
from assent.terms.errors import InvalidInput
from assent.vault import digest_api_key

if TYPE_CHECKING:
    from assent.engine.rooms import Rooms
    from assent.store import Session

_KEY_BYTES = 20


class KeyActs:
    """Keys for programs; each has one role."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._roles: dict[str, str] = {}

    def make(self, role: str, label: str = "") -> str:
        """Make an API key of a role (`browser`, `server`, `officer`, `monitor`); only its digest is kept.

        Raises `InvalidInput` for a role that does not exist.
        """
        if role not in ROLE_NAMES:
            raise InvalidInput("That role does not exist.", advice=f"Use one of: {', '.join(ROLE_NAMES)}.")
        rooms = self._rooms
        key = f"{role}_{rooms.randomness.bytes(_KEY_BYTES).hex()}"

        def job(session: Session) -> None:
            api_keys.add(session, digest_api_key(key), role, label, rooms.clock.now_ms())
            rooms.audit.append(session, "key made", {"role": role})

        rooms.store.write(job)
        return key

    def role(self, key: str) -> str | None:
        """Return the role of an API key, or None when this store never gave it out."""
        role = self._roles.get(key)
        if role is None:
            with self._rooms.store.read() as session:
                role = api_keys.role(session, digest_api_key(key))
            if role is not None:
                self._roles[key] = role
        return role

    def any(self) -> bool:
        """Tell whether any API key was made."""
        with self._rooms.store.read() as session:
            return api_keys.count(session) > 0
