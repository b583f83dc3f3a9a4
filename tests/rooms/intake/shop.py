"""The rooms that intake stands on, built as the engine builds them, and short ways to send and to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assent.catalog import Catalog
from assent.consent import Ledger, Purposes
from assent.intake import Intake
from assent.intake.files.importer import Importer
from assent.learn import SumsKeeper, Withdrawals
from assent.store import Store
from assent.store.topics import items, people
from assent.terms.answers.events import TakenIn
from assent.terms.clock import to_text
from assent.terms.ids import PersonId, identifiers_named
from assent.terms.settings import Settings
from assent.testing import FixedClock, SeededRandomness
from assent.vault import AuditLog, KeyFile, PersonKey, Vault, rows_of

YES = {"personalize": True, "learn": True}
BOTH = 1 | 2


@dataclass
class Shop:
    """A small house below the engine."""

    store: Store
    key_path: Path
    clock: FixedClock
    randomness: SeededRandomness
    settings: Settings = field(default_factory=Settings)
    vault: Vault = field(init=False)
    ledger: Ledger = field(init=False)
    catalog: Catalog = field(init=False)
    learning: SumsKeeper = field(init=False)
    withdrawals: Withdrawals = field(init=False)
    intake: Intake = field(init=False)
    importer: Importer = field(init=False)

    def __post_init__(self) -> None:
        if not self.key_path.exists():
            KeyFile.make(self.key_path, SeededRandomness(1), clock=self.clock)
        self.vault = Vault(KeyFile.open(self.key_path, {}), self.clock, self.randomness)
        self.ledger = Ledger(
            Purposes.load(),
            self.clock,
            self.randomness,
            gpc_mode=self.settings.gpc,
            language=self.settings.language,
        )
        self.catalog = Catalog(self.store, self.clock)
        self.learning = SumsKeeper(self.store, self.vault, self.ledger, self.clock)
        self.withdrawals = Withdrawals(self.vault, self.ledger, self.learning)
        audit = AuditLog(self.vault)
        self.intake = Intake(self.store, self.vault, self.ledger, audit, self.learning, self.withdrawals)
        self.importer = Importer(self.store, self.intake, self.clock)

    def another(self) -> Shop:
        """Build the house anew on the same store and keys, as another process would."""
        return Shop(self.store, self.key_path, self.clock, SeededRandomness(self.randomness.bytes(4)[0]), self.settings)

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, *events: Mapping[str, Any], gpc: bool = False) -> TakenIn:
        """Take in events as one batch."""
        batch = self.intake.parse(self.intake.body_of(events), kind="batch")
        return self.intake.submit(batch, gpc=gpc).result()

    def send_plainly(self, *events: Mapping[str, Any], gpc: bool = False) -> TakenIn:
        """Take in events as one batch, by a job that the store runs."""
        batch = self.intake.parse(self.intake.body_of(events), kind="batch")
        return self.store.write(self.intake.job(batch, gpc=gpc))

    def event(self, person: str | None = "ann", item: str | None = "tea", **fields: Any) -> dict[str, Any]:
        """Return one `Product Viewed` under consent to personalize and learn; fields replace what is there."""
        event: dict[str, Any] = {
            "type": "track",
            "event": "Product Viewed",
            "userId": person,
            "timestamp": to_text(self.clock.now_ms()),
            "properties": {"product_id": item},
            "context": {"consent": {"categoryPreferences": YES}},
        }
        event.update(fields)
        return {name: value for name, value in event.items() if value is not None}

    def consent(self, name: str, *, grant: Sequence[str] = (), withdraw: Sequence[str] = ()) -> None:
        """Say through our own API what somebody agreed to; they become known if they are not."""
        blinds = self.vault.blinds(identifiers_named(name))

        def job(session):
            row = people.load(session, blinds)
            if row is None:
                person = PersonId(self.randomness.bytes(16))
                people.add(session, person, self.clock.now_ms())
                people.put_key(session, person, *self.vault.new_person_key(person))
                people.add_identifier(session, *blinds[0], person)
            else:
                person = row.person
            for action, purposes in (("granted", grant), ("withdrawn", withdraw)):
                for purpose in purposes:
                    self.ledger.record(session, person, purpose, action, "api")

        self.store.write(job)

    # -- looking -------------------------------------------------------------------------------------------------

    def find(self, name: str) -> PersonId | None:
        """Return whom a name leads to."""
        with self.store.read() as session:
            return people.find(session, self.vault.blinds(identifiers_named(name)))

    def key(self, name: str) -> PersonKey:
        """Return the key of somebody who is known."""
        with self.store.read() as session:
            row = people.load(session, self.vault.blinds(identifiers_named(name)))
            return self.vault.key(row.person, row.wrapped, row.key_id)

    def events(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        """Return what is kept on somebody: each event with the purposes it may serve."""
        with self.store.read() as session:
            return [(each.purposes, each.event) for each in self.vault.export_records(session, self.key(name))]

    def history(self, name: str) -> set[tuple[str, int, int]]:
        """Return what somebody did: item, action, purposes."""
        with self.store.read() as session:
            ids = {row.number: row.id for row in items.all(session)}
            history = self.vault.export_history(session, self.key(name))
        return {(ids[item], action, purposes) for item, _, action, purposes in rows_of(history)}

    def days(self, name: str) -> list[int]:
        """Return the days since 1970 of what somebody did, oldest first."""
        with self.store.read() as session:
            return [int(row["day"]) for row in self.vault.export_history(session, self.key(name))]

    def states(self, name: str) -> dict[str, str]:
        """Return the ledger's last word on each purpose."""
        with self.store.read() as session:
            states = self.ledger.states(session, self.find(name))
        return {purpose: state.action for purpose, state in states.items()}

    def people(self) -> int:
        """Return how many people are known."""
        with self.store.read() as session:
            return people.count(session)
