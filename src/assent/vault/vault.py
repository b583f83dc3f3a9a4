"""The vault: one person, one key, one box. Finds people blindly, hands out their keys, opens records by permit."""

from __future__ import annotations

import base64
import hmac
from collections import OrderedDict
from hashlib import blake2b, sha256
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.store.topics import meta
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

#: How many unwrapped person keys stay in memory, about 1 kB each.
CACHED_KEYS_MAX = 16_384
PERSON_KEY_BYTES = 32
MESSAGE_DIGEST_BYTES = 16


class Vault:
    """Everything that needs a key. Safe to use from several threads."""

    def __init__(
        self, keyfile: KeyFile, clock: Clock, randomness: Randomness, *, cached_keys_max: int = CACHED_KEYS_MAX
    ) -> None:
        """Hold the secrets of `keyfile`; at most `cached_keys_max` unwrapped person keys are kept in memory."""
        self._keyfile = keyfile
        self.clock = clock
        self.randomness = randomness
        self._take = randomness.take
        self._keks = {key_id: AESGCM(secret) for key_id, secret in keyfile.keks.items()}
        self._index = BlindIndex(keyfile.index_root, IDENTIFIER_KINDS)
        self._signer = Signer(keyfile.signing)
        self._cached: OrderedDict[bytes, tuple[bytes, PersonKey]] = OrderedDict()
        self._cached_keys_max = cached_keys_max
        self._lock = Lock()
        #: The key of `digest_message`.
        self.message_key = hmac.digest(keyfile.pepper, b"assent message ids", "sha256")
        # The key is hashed once, which makes one digest almost twice as fast.
        self._message_state = blake2b(key=self.message_key, digest_size=MESSAGE_DIGEST_BYTES).copy

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
        """Where the key file stands."""
        return self._keyfile.path

    @property
    def journal_path(self) -> Path:
        """Where the erase journal stands: beside the key file, because a backup of data must not carry either."""
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
        secret = self._take(PERSON_KEY_BYTES)
        current = self._keyfile.current
        return seals.wrap(self._keks[current], person, secret, self._take(seals.NONCE_BYTES)), current

    def key(self, person: PersonId, wrapped: bytes | None, key_id: str | None) -> PersonKey:
        """Unwrap a person's key.

        Raises `NotFound` (destroyed: None), `KeyFileMissing` (wrapped by a key not held here), `Corrupt` (altered).
        """
        with self._lock:
            held = self._cached.get(person)
            if held is not None and held[0] == wrapped:
                self._cached.move_to_end(person)
                return held[1]
        if wrapped is None or key_id is None:
            message = "The person's key is destroyed."
            raise NotFound(message)
        kek = self._keks.get(key_id)
        if kek is None:
            message = "A person's key is wrapped by a key that this key file does not hold."
            raise KeyFileMissing(message, advice="Open the store with the key file that was made by the last rotation.")
        made = PersonKey(person, seals.unwrap(kek, person, wrapped), self._take)
        with self._lock:
            self._cached[person] = (wrapped, made)
            self._cached.move_to_end(person)
            if len(self._cached) > self._cached_keys_max:
                self._cached.popitem(last=False)
        return made

    def forget(self, person: PersonId) -> None:
        """Drop a person's unwrapped key from memory."""
        with self._lock:
            self._cached.pop(person, None)

    def clear(self) -> None:
        """Drop every unwrapped key from memory: after another process destroyed keys, say."""
        with self._lock:
            self._cached.clear()

    def rewrap(self, session: Session, new: KeyFile, count: int | None = None) -> int:
        """Wrap person keys under the current key of `new` (a `KeyFile.rotated`), inside a write job.

        At most `count` of them (all when None); returns how many are left, so that a caller goes on until 0. What was
        interrupted goes on where it stopped. From here on new people are wrapped by `new`, too. Raises `Conflict` when
        `new` belongs to another store.
        """
        self._keyfile.check_same_store(new)
        self._keks.update({key_id: AESGCM(secret) for key_id, secret in new.keks.items()})
        self._keyfile = new
        return rewrap(session, self._keks, new.current, self._take, count)

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
        """Return what `open_history` returns, as `serving`, in a form to bring along to the next question.

        `held`: what the last call gave; None the first time, and whenever the store's epoch has grown since. `newest`:
        the store's newest record. `epoch`: the store's, None to look it up. The permit is checked at every call,
        whatever is held. Raises as `open_history`.
        """
        records.check_permit(session, permit, person_key, self.clock.now_ms(), epoch=epoch)
        return records.catch_up(session, permit.purpose.bit, person_key, held, newest)

    def open_histories(
        self, session: Session, permits: Sequence[tuple[Permit[P], PersonKey]], purpose: type[P]
    ) -> list[NDArray[np.void]]:
        """Return what `open_history` does for many people at once, in their order; raises as it does."""
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
        return seals.seal_records(self._take, rows)

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
        """Take a purpose out of everything kept on a person, inside a write job; return how many records went whole."""
        return records.strip(session, person, person_key, bit)

    def strip_old(self, session: Session, person_key: PersonKey, expired: Callable[[int], int]) -> int:
        """Take out what was kept past its time: `expired(at_ms)` gives the bits of the purposes whose time is over.

        Returns how many records changed or went.
        """
        return records.strip_old(session, person_key, expired)

    # -- what a model holds --------------------------------------------------------------------------------------

    def seal_contribution(self, person_key: PersonKey, model: str, contribution: bytes) -> bytes:
        """Seal what was added to a model's sum for a person."""
        return person_key.seal(f"{seals.CONTRIBUTIONS}:{model}", 0, contribution)

    def open_contribution(self, person_key: PersonKey, model: str, sealed: bytes) -> bytes:
        """Open what was added to a model's sum for a person; raises `Corrupt`."""
        return person_key.open(f"{seals.CONTRIBUTIONS}:{model}", 0, sealed)

    # -- ids -----------------------------------------------------------------------------------------------------

    def digest_message(self, message_id: str) -> bytes:
        """Return the 16-byte digest under which a message id is remembered."""
        state = self._message_state()
        state.update(message_id.encode("utf-8", "surrogatepass"))
        return state.digest()


def digest_message(key: bytes, message_id: str) -> bytes:
    """Return the 16-byte keyed digest (BLAKE2b) of a message id; `key` is `Vault.message_key`."""
    return blake2b(message_id.encode("utf-8", "surrogatepass"), key=key, digest_size=MESSAGE_DIGEST_BYTES).digest()


def digest_api_key(key: str) -> bytes:
    """Return the 32-byte digest under which an API key is kept; the key itself is random, so no salt is needed."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
