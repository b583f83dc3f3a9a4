"""The vault finds people by the blind index, unwraps their keys and opens their records by permit."""

from __future__ import annotations

import base64
import hmac
from collections import OrderedDict
from hashlib import blake2b, sha256
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.store.topics import meta, seen_events
from assent.terms.errors import KeyFileMissing, NotFound
from assent.terms.ids import IDENTIFIER_KINDS, PersonId
from assent.terms.purposes import EVERY_PURPOSE, Purpose
from assent.vault import records, seals
from assent.vault.blind_index import BlindIndex
from assent.vault.rotation import rewrap
from assent.vault.seals import PersonKey
from assent.vault.signatures import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from assent.store import Session
    from assent.terms.clock import Clock
    from assent.terms.ids import Identifier
    from assent.terms.permits import Permit
    from assent.terms.randomness import Randomness
    from assent.vault.keyfile import KeyFile
    from assent.vault.records import HeldHistory

P = TypeVar("P", bound=Purpose)

#: Unwrapped person keys kept in memory, about 1 kB each.
CACHED_KEYS = 16_384
PERSON_KEY_BYTES = 32


class Vault:
    """Every act that needs a key. Safe to use from several threads."""

    def __init__(
        self, keyfile: KeyFile, clock: Clock, randomness: Randomness, *, cached_keys: int = CACHED_KEYS
    ) -> None:
        """Take the secrets of `keyfile`; keep at most `cached_keys` unwrapped person keys in memory."""
        self._keyfile = keyfile
        self.clock = clock
        self.randomness = randomness
        self._random_bytes = randomness.bytes
        self._keks = {key_id: AESGCM(secret) for key_id, secret in keyfile.keks.items()}
        self._index = BlindIndex(keyfile.index_root, IDENTIFIER_KINDS)
        self._signer = Signer(keyfile.signing)
        self._cached: OrderedDict[bytes, tuple[bytes, PersonKey]] = OrderedDict()
        self._cached_keys = cached_keys
        self._lock = Lock()
        event_id_key = hmac.digest(keyfile.pepper, b"assent message ids", "sha256")
        # The key is hashed once, which makes one digest almost twice as fast.
        self._event_id_state = blake2b(key=event_id_key, digest_size=seen_events.DIGEST_BYTES).copy

    # -- names and signatures ------------------------------------------------------------------------------------

    @property
    def signer(self) -> Signer:
        """The store's signing key."""
        return self._signer

    @property
    def public_key(self) -> str:
        """The public half of the signing key, base64."""
        return base64.b64encode(self._signer.public_key).decode()

    @property
    def key_path(self) -> Path:
        """The path of the key file."""
        return self._keyfile.path

    @property
    def journal_path(self) -> Path:
        """The path of the erase journal: beside the key file, because a backup of data must not carry either."""
        return self._keyfile.path.with_suffix(".erasures")

    def sign(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Sign a JSON map: `{"payload", "signature", "public_key"}`, Ed25519 over canonical JSON, base64."""
        return self._signer.sign(payload)

    def blind(self, identifier: Identifier) -> bytes:
        """Return the 32-byte blind index of an identifier: HMAC-SHA-256 under a key of its kind."""
        return self._index.blind(identifier)

    def blinds(self, identifiers: Iterable[Identifier]) -> list[tuple[str, bytes]]:
        """Return (kind, blind index) of each identifier, in order."""
        return [(each.kind, self._index.blind(each)) for each in identifiers]

    # -- person keys ---------------------------------------------------------------------------------------------

    def new_person_key(self, person: PersonId) -> tuple[bytes, str]:
        """Make a key for a new person; return it wrapped, and the id of the key-encryption key that wraps it."""
        secret = self._random_bytes(PERSON_KEY_BYTES)
        current = self._keyfile.current
        return seals.wrap(self._keks[current], person, secret, self._random_bytes(seals.NONCE_BYTES)), current

    def key(self, person: PersonId, wrapped: bytes | None, key_id: str | None) -> PersonKey:
        """Unwrap a person's key.

        Raises `NotFound` (destroyed: None), `KeyFileMissing` (wrapped by a key not held here), `Corrupt` (altered).
        """
        with self._lock:
            cached = self._cached.get(person)
            if cached is not None and cached[0] == wrapped:
                self._cached.move_to_end(person)
                return cached[1]
        if wrapped is None or key_id is None:
            raise NotFound("The person's key is destroyed.")
        kek = self._keks.get(key_id)
        if kek is None:
            raise KeyFileMissing(
                "A person's key is wrapped by a key that this key file does not hold.",
                advice="Open the store with the newest copy of its key file.",
            )
        made = PersonKey(person, seals.unwrap(kek, person, wrapped), self._random_bytes)
        with self._lock:
            self._cached[person] = (wrapped, made)
            self._cached.move_to_end(person)
            if len(self._cached) > self._cached_keys:
                self._cached.popitem(last=False)
        return made

    def drop_key(self, person: PersonId) -> None:
        """Drop a person's unwrapped key from memory."""
        with self._lock:
            self._cached.pop(person, None)

    def clear_keys(self) -> None:
        """Drop every unwrapped key from memory, for instance after another process destroyed keys."""
        with self._lock:
            self._cached.clear()

    def rewrap(self, session: Session, new: KeyFile, count: int | None = None) -> int:
        """Wrap person keys under the current key of `new` (a `KeyFile.rotated`), inside a write job.

        Wraps at most `count` of them (all when None) and returns how many are left; a caller repeats it until 0, also
        after an interruption. From the first call on, keys of new people are wrapped by `new`. Raises `Conflict` when
        `new` belongs to another store.
        """
        self._keyfile.check_same_store(new)
        self._keks.update({key_id: AESGCM(secret) for key_id, secret in new.keks.items()})
        self._keyfile = new
        return rewrap(session, self._keks, new.current, self._random_bytes, count)

    # -- a person's records, by permit ---------------------------------------------------------------------------

    def open_history(
        self, session: Session, permit: Permit[P], person_key: PersonKey, purpose: type[P] | None = None
    ) -> NDArray[np.void]:
        """Return the entries that may serve the permit's purpose, oldest first, HISTORY dtype, shape (entries,).

        Raises `PermitNeeded` when the permit is for another person, has expired, was taken back since, or is for
        another purpose than `purpose` (when one is named); `Corrupt` when a seal does not open.
        """
        records.check_permit(session, permit, person_key, self.clock.now_ms(), purpose)
        return records.open_history(session, permit.purpose.bit, person_key)

    def hold_history(
        self,
        session: Session,
        permit: Permit[P],
        person_key: PersonKey,
        held: HeldHistory | None,
        newest: int,
        epoch: int | None = None,
    ) -> HeldHistory:
        """Return what `open_history` returns as `serving` of a history that the caller keeps for the next question.

        `held`: the answer of the last call; None at first and after the store's epoch grew. `newest`: the number of
        the store's newest record. `epoch`: the store's, None to look it up. The permit is checked at every call.
        Raises as `open_history`.
        """
        records.check_permit(session, permit, person_key, self.clock.now_ms(), epoch=epoch)
        return records.catch_up(session, permit.purpose.bit, person_key, held, newest)

    def open_histories(
        self, session: Session, permits: Sequence[tuple[Permit[P], PersonKey]], purpose: type[P]
    ) -> list[NDArray[np.void]]:
        """Return the histories of many people, in their order, each HISTORY dtype, shape (entries,).

        Raises as `open_history`.
        """
        now_ms, epoch = self.clock.now_ms(), meta.epoch(session)
        for permit, person_key in permits:
            records.check_permit(session, permit, person_key, now_ms, purpose, epoch)
        return records.open_histories(session, purpose.bit, [person_key for _, person_key in permits])

    def open_records(
        self, session: Session, permit: Permit[P], person_key: PersonKey, purpose: type[P] | None = None
    ) -> list[records.Opened]:
        """Return the events that may serve the permit's purpose, oldest first; raises as `open_history`."""
        records.check_permit(session, permit, person_key, self.clock.now_ms(), purpose)
        return records.open_records(session, permit.purpose.bit, person_key)

    def seal_records(self, rows: Iterable[tuple[PersonKey, int, bytes, bytes]]) -> list[tuple[bytes, bytes | None]]:
        """Seal the events and the trail (empty for none) of many records: key, sequence number, events, trail."""
        return seals.seal_records(self._random_bytes, rows)

    def export_history(self, session: Session, person_key: PersonKey) -> NDArray[np.void]:
        """Return the whole history for the person themself: the right of access needs no purpose, only the key.

        HISTORY dtype, shape (entries,), oldest first.
        """
        return records.open_history(session, EVERY_PURPOSE, person_key)

    def export_records(self, session: Session, person_key: PersonKey) -> list[records.Opened]:
        """Return every event for the person themself: the right of access needs no purpose, only the key."""
        return records.open_records(session, EVERY_PURPOSE, person_key)

    def fold_history(self, session: Session, person: PersonId, person_key: PersonKey) -> int:
        """Fold loose trails into the person's sealed history, inside a write job; return how many entries it has."""
        return records.fold_history(session, person, person_key)

    def strip(self, session: Session, person: PersonId, person_key: PersonKey, bit: int) -> int:
        """Take a purpose out of all data on a person, inside a write job; return how many records were deleted."""
        return records.strip(session, person, person_key, bit)

    def strip_old(self, session: Session, person_key: PersonKey, expired: Callable[[int], int]) -> int:
        """Delete data past its retention: `expired(at_ms)` gives the bits of the purposes that ended for a moment.

        Returns how many records were changed or deleted.
        """
        return records.strip_old(session, person_key, expired)

    # -- contributions -------------------------------------------------------------------------------------------

    def seal_contribution(self, person_key: PersonKey, model: str, contribution: bytes) -> bytes:
        """Seal the contribution of a person to a model's sum."""
        return person_key.seal(f"{seals.CONTRIBUTIONS}:{model}", 0, contribution)

    def open_contribution(self, person_key: PersonKey, model: str, sealed: bytes) -> bytes:
        """Open the contribution of a person to a model's sum; raises `Corrupt`."""
        return person_key.open(f"{seals.CONTRIBUTIONS}:{model}", 0, sealed)

    # -- ids -----------------------------------------------------------------------------------------------------

    def digest_event_id(self, event_id: str) -> bytes:
        """Return the 16-byte digest under which the id of an event (Segment's `messageId`) is kept."""
        state = self._event_id_state()
        state.update(event_id.encode("utf-8", "surrogatepass"))
        return state.digest()


def digest_api_key(key: str) -> bytes:
    """Return the 32-byte digest under which an API key is kept; the key itself is random, so no salt is needed."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
