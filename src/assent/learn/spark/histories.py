"""What runs in an executor: sealed histories are opened by permit, and leave as sums of a part of the people.

The key file is that of the executor's own environment. What leaves is sealed with a key made for this one run, which
the driver sends wrapped: whoever does not hold the store's key file can read nothing of what lies on Spark's disks.
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
from assent.learn.spark.pieces import PAIRS_AT_ONCE, Box, Gathering, Moved, Piece, name_reading
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

#: Where an executor finds the key file, and, unless it is to use the driver's, the store.
KEY_FILE: Final = "ASSENT_KEY_FILE"
KEYS: Final = "ASSENT_KEYS"
STORE: Final = "ASSENT_STORE"

#: How many histories are opened and weighed at once.
READ_TOGETHER: Final = 1_000

_TABLE: Final = "spark"
_PERSON: Final = struct.Struct("<16sI")
_SEE: Final = "docs/spark.md tells how keys get to executors; nothing was changed."


@dataclass(frozen=True, slots=True)
class Errand:
    """All that is told to executors: where the store is, what was true when the run began, and its key, wrapped."""

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
        """Return what opens and what seals the pieces of this run, with the key file of this process's environment."""
        return boxes_of(_run_key(self))


@dataclass(frozen=True, slots=True)
class Histories:
    """Runs in an executor: a row names a part of the people by its number, the pieces of that part's sum come out."""

    errand: Errand
    #: The ids of each part, one after the other: random numbers that say nothing of anybody.
    parts: tuple[bytes, ...] = field(repr=False)

    def __call__(self, _partition: int, batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
        """Read the parts that the rows name, and yield their pieces; raises whatever opening and reading raise."""
        seal = self.errand.boxes()[1]
        for batch in batches:
            for part in batch.column(0).to_pylist():
                ids = self.parts[part]
                persons = [
                    PersonId(ids[place : place + PERSON_ID_BYTES]) for place in range(0, len(ids), PERSON_ID_BYTES)
                ]
                yield from _pieces(self.errand, part, persons, seal)


def boxes_of(key: PersonKey) -> tuple[Box, Box]:
    """Return what opens and what seals pieces with the key of a run."""

    def unseal(place: int, data: bytes) -> bytes:
        return key.open(_TABLE, place % (1 << 64), data)

    def seal(place: int, data: bytes) -> bytes:
        return key.seal(_TABLE, place % (1 << 64), data)

    return unseal, seal


def release() -> str:
    """Return the version of this package as it is installed here."""
    return metadata.version("assent")


def say(person: PersonId, sealed: bytes) -> bytes:
    """Pack what is said of one person: their sealed contribution, empty when they no longer have one."""
    return _PERSON.pack(person, len(sealed)) + sealed


def hear(said: bytes) -> Iterator[tuple[PersonId, bytes]]:
    """Read what `say` packed, one after the other."""
    place = 0
    while place < len(said):
        person, length = _PERSON.unpack_from(said, place)
        place += _PERSON.size
        yield PersonId(person), said[place : place + length]
        place += length


@dataclass(frozen=True, slots=True)
class _Standing:
    """A clock that stands at the moment the run began: every executor, however late, judges the same moment."""

    at_ms: int

    def now_ms(self) -> int:
        return self.at_ms


def _vault(errand: Errand) -> Vault:
    """Open the key file that this process's environment names; raises `KeyFileMissing`, `Conflict`."""
    if errand.release != release():
        raise Conflict(
            f"An executor runs assent {release()}, the driver {errand.release}.",
            advice="Install the same version everywhere; nothing was changed.",
        )
    path = os.environ.get(KEY_FILE, "")
    if not KeyFile.exists(path) or not (path or os.environ.get(KEYS)):
        told = f"{KEY_FILE} names no file there" if path else f"{KEY_FILE} is not set there"
        raise KeyFileMissing(
            f"An executor has no key file: {told}.",
            advice=f"Set {KEY_FILE} in the executors' environment to its path. {_SEE}",
        )
    vault = Vault(KeyFile.open(path), _Standing(errand.at_ms), SystemRandomness())
    if vault.public_key != errand.public_key:
        raise Conflict(
            "An executor's key file belongs to another store.",
            advice=f"Set {KEY_FILE} in the executors' environment to this store's. {_SEE}",
        )
    return vault


@functools.lru_cache(maxsize=1)
def _run_key(errand: Errand) -> PersonKey:
    """Unwrap the key of the run; only this one is kept, and only until the next run."""
    return _vault(errand).key(errand.run, errand.wrapped, errand.key_id)


@contextmanager
def _opened(errand: Errand) -> Iterator[Session]:
    """Read the store as of one moment; raises `Moved` when consent changed since the run began."""
    with Store.open(os.environ.get(STORE) or errand.store, create=False) as store, store.read() as session:
        if meta.epoch(session) != errand.epoch:
            raise Moved("Consent changed while the training ran.")
        yield session


def _pieces(errand: Errand, part: int, persons: list[PersonId], seal: Box) -> Iterator[Piece]:
    """Read one part of the people and yield the pieces of its sum, a bounded number of pairs at a time."""
    reader = _Reader(errand)
    gathering = Gathering(blocks.cut(errand.columns), seal)
    flush = pairs = 0
    coming: list[Contribution] = []
    said: list[bytes] = []

    def flushed() -> Iterator[Piece]:
        reading = name_reading(part, flush, (*(each.to_bytes() for each in coming), b"", *said))
        yield from gathering.take_in(reading, PairSum.of(coming, errand.columns))
        place = -1 - part
        yield Piece(place, reading, seal(place, b"".join(said)))

    with _opened(errand) as session:
        for start in range(0, len(persons), READ_TOGETHER):
            for contribution, news in reader.read(session, persons[start : start + READ_TOGETHER]):
                said.append(news)
                if contribution is not None:
                    coming.append(contribution)
                    pairs += len(contribution.items) * (len(contribution.items) + 1) // 2
                if pairs >= PAIRS_AT_ONCE:
                    yield from flushed()
                    flush, pairs, coming, said = flush + 1, 0, [], []
    if said or not flush:
        yield from flushed()
    yield from gathering.rest()


class _Reader:
    """Asks consent and opens histories, many people at a time, as the driver would."""

    def __init__(self, errand: Errand) -> None:
        self._columns = errand.columns
        self._vault = _vault(errand)
        self._ledger = Ledger(Purposes.read(errand.purposes), _Standing(errand.at_ms), SystemRandomness())

    def read(self, session: Session, persons: list[PersonId]) -> Iterator[tuple[Contribution | None, bytes]]:
        """Yield what each person contributes now, and what is said of them: nothing when it is what they did before."""
        held = sums.contributions_of(session, MODEL, persons)
        # The ledger is asked about everybody; whoever has no key has nothing that could be opened.
        permits = self._ledger.permits(session, persons, Learn)
        wrapped = people.keys_of(session, persons)
        keys = {person: self._vault.key(person, *wrapped[person]) for person in persons if person in wrapped}
        allowed = [(permit, keys[person]) for person, permit in permits.items() if person in keys]
        histories = self._vault.open_histories(session, allowed, Learn)
        made = contributions_of(histories)
        wanted = {key.person: each for (_, key), each in zip(allowed, made, strict=True)}
        for person in persons:
            yield self._compared(keys.get(person), person, wanted.get(person), held.get(person))

    def _compared(
        self, key: PersonKey | None, person: PersonId, wanted: Contribution | None, held: bytes | None
    ) -> tuple[Contribution | None, bytes]:
        """Return what a person contributes, and how that differs from what is held of them, sealed."""
        if key is None:
            return None, say(person, b"") if held is not None else b""
        if wanted is not None and int(wanted.items[-1]) >= self._columns:
            raise Moved("An item came while the training ran.")
        if held is not None:
            before = Contribution.from_bytes(self._vault.open_contribution(key, MODEL, held))
            if wanted == before:
                return wanted, b""
        elif wanted is None:
            return None, b""
        sealed = b"" if wanted is None else self._vault.seal_contribution(key, MODEL, wanted.to_bytes())
        return wanted, say(person, sealed)
