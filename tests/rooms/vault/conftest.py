"""What the vault's tests share: a vault with its key file, and people in a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from assent.store import Session, Store
from assent.store.topics import people, records
from assent.store.topics.records import RecordRow
from assent.terms.ids import Identifier, PersonId
from assent.testing import START_MS, FixedClock, SeededRandomness
from assent.vault import AuditLog, KeyFile, PersonKey, Vault, entries, pack

Act = tuple[int, int, int, int]


@dataclass
class Shop:
    """A store with a vault, and short ways to fill it."""

    store: Store
    vault: Vault
    audit: AuditLog

    def join(self, name: str) -> PersonKey:
        """Make a person known by a user id; return their key."""
        person = PersonId(name.encode().ljust(16, b"-"))

        def job(session: Session) -> None:
            people.add(session, person, START_MS)
            people.put_key(session, person, *self.vault.new_person_key(person))
            for kind, blind in self.vault.blinds([Identifier("user_id", name)]):
                people.add_identifier(session, kind, blind, person)

        self.store.write(job)
        return self.key(person)

    def key(self, person: PersonId) -> PersonKey:
        """Return a person's key."""
        with self.store.read() as session:
            return self.vault.key(person, *(people.key(session, person) or (None, None)))

    def record(self, seq: int, key: PersonKey, events: Sequence[object], acts: Sequence[Act] = ()) -> None:
        """Write one record as intake does: events and history entries, each with the purposes it may serve."""
        purposes = 0
        for each in [*(event["purposes"] for event in events if isinstance(event, dict)), *(act[3] for act in acts)]:
            purposes |= each
        row = RecordRow(
            seq,
            key.person,
            START_MS + seq,
            purposes,
            key.seal("records", seq, msgspec.msgpack.encode(events)),
            key.seal("trails", seq, pack(entries(acts))) if acts else None,
        )
        self.store.write(lambda session: records.add_many(session, [row]))


@pytest.fixture
def keyfile(tmp_path: Path, clock: FixedClock) -> KeyFile:
    """Return a new key file."""
    return KeyFile.make(tmp_path / "shop.key", SeededRandomness(1), clock=clock)


@pytest.fixture
def vault(keyfile: KeyFile, clock: FixedClock, randomness: SeededRandomness) -> Vault:
    """Return a vault of that key file."""
    return Vault(keyfile, clock, randomness)


@pytest.fixture
def shop(store: Store, vault: Vault) -> Shop:
    """Return a fresh store with its vault and log."""
    return Shop(store, vault, AuditLog(vault))


@pytest.fixture
def flip(store: Store) -> Callable[[str], None]:
    """Return what runs one statement past every rule, as somebody with the file in hand would."""

    def run(statement: str) -> None:
        if store.dialect == "sqlite":
            import sqlite3

            with sqlite3.connect(store.path) as connection:
                connection.execute(statement)
            connection.close()
            return
        import psycopg

        with psycopg.connect(store.url, autocommit=True) as connection:
            connection.execute(statement)

    return run
