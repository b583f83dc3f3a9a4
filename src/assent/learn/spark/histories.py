"""The executor's part of a training: it opens sealed histories by permit, and returns sums of a part of the people.

The key file is that of the executor's own environment. Results are sealed with a key made for this one run, which the
driver sends wrapped: without the store's key file Spark's disks cannot be read.
"""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Final

from assent.consent import Ledger, Purposes
from assent.learn.registry import MODEL
from assent.learn.spark import blocks
from assent.learn.spark.pieces import PAIRS_AT_ONCE, BlockBuffer, Box, Piece, SourceChanged, name_reading
from assent.learn.training_plan import READ_TOGETHER
from assent.models.recommender import contributions_of
from assent.store import Store
from assent.store.topics import meta, people, sums
from assent.sums import Contribution, PairSum
from assent.terms.errors import Conflict, KeyFileMissing
from assent.terms.ids import PERSON_ID_BYTES, PersonId
from assent.terms.purposes import Learn
from assent.terms.randomness import SystemRandomness
from assent.vault import KeyFile, PersonKey, Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from assent.store import Session

#: The environment variables of an executor's key file, and of its store, if that is not the driver's.
KEY_FILE: Final = "ASSENT_KEY_FILE"
KEYS: Final = "ASSENT_KEYS"
STORE: Final = "ASSENT_STORE"

_TABLE: Final = "spark"
_PERSON: Final = struct.Struct("<16sI")
_SEE: Final = "docs/spark.md tells how keys get to executors; nothing was changed."


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run, sent to executors: the store's address, time and epoch at its start, and its wrapped key."""

    #: Without a password.
    store: str
    public_key: str
    release: str
    at_ms: int
    epoch: int
    columns: int
    run: PersonId
    wrapped: bytes = field(repr=False)
    key_id: str
    #: The shop's own purposes file.
    purposes: bytes | None = field(default=None, repr=False)

    def boxes(self) -> tuple[Box, Box]:
        """Return the functions that open and seal the pieces of this run, by this process's own key file."""
        return boxes_of(_run_key(self))


@dataclass(frozen=True, slots=True)
class Histories:
    """Runs in an executor: a row is the number of a part of the people, and the pieces of its sum are yielded."""

    state: RunState
    #: The ids of each part, one after the other: random numbers without meaning.
    parts: tuple[bytes, ...] = field(repr=False)

    def __call__(self, _partition: int, batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
        """Yield the pieces of the parts that the rows name; raises as the vault and the store."""
        seal = self.state.boxes()[1]
        for batch in batches:
            for part in batch.column(0).to_pylist():
                ids = self.parts[part]
                persons = [
                    PersonId(ids[place : place + PERSON_ID_BYTES]) for place in range(0, len(ids), PERSON_ID_BYTES)
                ]
                yield from _pieces(self.state, part, persons, seal)


def boxes_of(key: PersonKey) -> tuple[Box, Box]:
    """Return the functions that open and seal pieces with the key of a run."""

    def unseal(place: int, data: bytes) -> bytes:
        return key.open(_TABLE, place % (1 << 64), data)

    def seal(place: int, data: bytes) -> bytes:
        return key.seal(_TABLE, place % (1 << 64), data)

    return unseal, seal


def release() -> str:
    """Return the version of this package as it is installed here."""
    return metadata.version("assent")


def pack_contribution(person: PersonId, sealed: bytes) -> bytes:
    """Pack one person's changed contribution, sealed; empty when they no longer have one."""
    return _PERSON.pack(person, len(sealed)) + sealed


def unpack_contributions(changes: bytes) -> Iterator[tuple[PersonId, bytes]]:
    """Read what `pack_contribution` packed, one after the other."""
    place = 0
    while place < len(changes):
        person, length = _PERSON.unpack_from(changes, place)
        place += _PERSON.size
        yield PersonId(person), changes[place : place + length]
        place += length


@dataclass(frozen=True, slots=True)
class _RunClock:
    """A clock fixed at the start of the run: every executor judges consent at the same moment."""

    at_ms: int

    def now_ms(self) -> int:
        return self.at_ms


def _vault(state: RunState) -> Vault:
    """Open the key file that this process's environment names; raises `KeyFileMissing`, `Conflict`."""
    if state.release != release():
        raise Conflict(
            f"An executor runs assent {release()}, the driver {state.release}.",
            advice="Install the same version everywhere; nothing was changed.",
        )
    path = os.environ.get(KEY_FILE, "")
    if not KeyFile.exists(path) or not (path or os.environ.get(KEYS)):
        reason = f"{KEY_FILE} names no file there" if path else f"{KEY_FILE} is not set there"
        raise KeyFileMissing(
            f"An executor has no key file: {reason}.",
            advice=f"Set {KEY_FILE} in the executors' environment to its path. {_SEE}",
        )
    vault = Vault(KeyFile.open(path), _RunClock(state.at_ms), SystemRandomness())
    if vault.public_key != state.public_key:
        raise Conflict(
            "An executor's key file belongs to another store.",
            advice=f"Set {KEY_FILE} in the executors' environment to this store's. {_SEE}",
        )
    return vault


@functools.lru_cache(maxsize=1)
def _run_key(state: RunState) -> PersonKey:
    """Unwrap the key of the run; only this one is kept, and only until the next run."""
    return _vault(state).key(state.run, state.wrapped, state.key_id)


@contextmanager
def _opened(state: RunState) -> Iterator[Session]:
    """Read the store as of one moment; raises `SourceChanged` when consent changed since the run began."""
    with Store.open(os.environ.get(STORE) or state.store, create=False) as store, store.read() as session:
        if meta.epoch(session) != state.epoch:
            raise SourceChanged("Consent changed while the training ran.")
        yield session


def _pieces(state: RunState, part: int, persons: list[PersonId], seal: Box) -> Iterator[Piece]:
    """Read one part of the people and yield the pieces of its sum, a bounded number of pairs at a time."""
    reader = _Reader(state)
    buffer = BlockBuffer(blocks.cut(state.columns), seal)
    flush = pairs = 0
    coming: list[Contribution] = []
    changes: list[bytes] = []

    def flushed() -> Iterator[Piece]:
        reading = name_reading(part, flush, (*(each.to_bytes() for each in coming), b"", *changes))
        yield from buffer.add(reading, PairSum.of(coming, state.columns))
        place = -1 - part
        yield Piece(place, reading, seal(place, b"".join(changes)))

    with _opened(state) as session:
        for start in range(0, len(persons), READ_TOGETHER):
            for contribution, news in reader.read(session, persons[start : start + READ_TOGETHER]):
                changes.append(news)
                if contribution is not None:
                    coming.append(contribution)
                    pairs += len(contribution.items) * (len(contribution.items) + 1) // 2
                if pairs >= PAIRS_AT_ONCE:
                    yield from flushed()
                    flush, pairs, coming, changes = flush + 1, 0, [], []
    if changes or not flush:
        yield from flushed()
    yield from buffer.rest()


class _Reader:
    """Asks consent and opens histories, many people at a time, as the driver would."""

    def __init__(self, state: RunState) -> None:
        self._columns = state.columns
        self._vault = _vault(state)
        self._ledger = Ledger(Purposes.read(state.purposes), _RunClock(state.at_ms), SystemRandomness())

    def read(self, session: Session, persons: list[PersonId]) -> Iterator[tuple[Contribution | None, bytes]]:
        """Yield each person's contribution now, and its packed change, empty when it is the stored one."""
        stored = sums.contributions_of(session, MODEL, persons)
        # The ledger decides about all people; a person without a key has nothing that could be opened.
        permits = self._ledger.permits(session, persons, Learn)
        wrapped = people.keys_of(session, persons)
        keys = {person: self._vault.key(person, *wrapped[person]) for person in persons if person in wrapped}
        allowed = [(permit, keys[person]) for person, permit in permits.items() if person in keys]
        histories = self._vault.open_histories(session, allowed, Learn)
        made = contributions_of(histories)
        wanted = {key.person: each for (_, key), each in zip(allowed, made, strict=True)}
        for person in persons:
            yield self._compared(keys.get(person), person, wanted.get(person), stored.get(person))

    def _compared(
        self, key: PersonKey | None, person: PersonId, wanted: Contribution | None, stored: bytes | None
    ) -> tuple[Contribution | None, bytes]:
        """Return a person's contribution, and its packed change against the stored one, sealed."""
        if key is None:
            return None, pack_contribution(person, b"") if stored is not None else b""
        if wanted is not None and int(wanted.items[-1]) >= self._columns:
            raise SourceChanged("An item came while the training ran.")
        if stored is not None:
            before = Contribution.from_bytes(self._vault.open_contribution(key, MODEL, stored))
            if wanted == before:
                return wanted, b""
        elif wanted is None:
            return None, b""
        sealed = b"" if wanted is None else self._vault.seal_contribution(key, MODEL, wanted.to_bytes())
        return wanted, pack_contribution(person, sealed)
