"""A whole small house below the engine, with people who agreed and acted; built in tests and in processes that die."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from assent.consent import Controller, Ledger, Purposes
from assent.learn import SumsKeeper, Withdrawals
from assent.rights import Choices, ConsentChoice, Rights, RightsRooms
from assent.store import Store
from assent.store.topics import decisions, items, log, meta, people, records, seen_events, sums
from assent.store.topics.decisions import DecisionRow
from assent.store.topics.records import RecordRow
from assent.terms.ids import Identifier, PersonId, identifiers_named
from assent.testing import FixedClock, SeededRandomness
from assent.vault import AuditLog, KeyFile, PersonKey, Vault, decision_number, entries, pack

BOTH = 1 | 2


@dataclass
class House:
    """The rooms that rights stand on, built as the engine builds them."""

    store: Store
    key_path: Path
    clock: FixedClock
    randomness: SeededRandomness
    vault: Vault = field(init=False)
    ledger: Ledger = field(init=False)
    audit: AuditLog = field(init=False)
    learning: SumsKeeper = field(init=False)
    choices: Choices = field(init=False)
    rights: Rights = field(init=False)

    def __post_init__(self) -> None:
        if not self.key_path.exists():
            KeyFile.make(self.key_path, SeededRandomness(1), clock=self.clock)
        self.vault = Vault(KeyFile.open(self.key_path, {}), self.clock, self.randomness)
        self.ledger = Ledger(Purposes.load(), self.clock, self.randomness)
        self.audit = AuditLog(self.vault)
        self.learning = SumsKeeper(self.store, self.vault, self.ledger, self.clock)
        controller = Controller("The shop", "privacy@shop.example", "1 Road, Town", "EU")
        withdrawals = Withdrawals(self.vault, self.ledger, self.learning)
        rooms = RightsRooms(self.store, self.vault, self.ledger, self.audit, self.learning, withdrawals, controller)
        self.choices = Choices(rooms)
        self.rights = Rights(rooms)

    def again(self) -> House:
        """Build the house anew on the same store and keys, as another process would."""
        return House(self.store, self.key_path, self.clock, SeededRandomness(self.randomness.bytes(4)[0]))

    def choose(self, name: str, grant: Sequence[str] = (), withdraw: Sequence[str] = (), evidence: str | None = None):
        """Grant and withdraw; return the receipts."""
        choice = ConsentChoice(name, tuple(grant), tuple(withdraw), evidence, "en")
        return self.store.write(lambda session: self.choices.choose(session, choice))

    def find(self, name: str) -> tuple[PersonId, PersonKey]:
        """Return a person and their key."""
        with self.store.read() as session:
            row = people.load(session, self.vault.blinds(identifiers_named(name)))
            return row.person, self.vault.key(row.person, row.wrapped, row.key_id)

    def act(self, name: str, bought: Sequence[str], purposes: int = BOTH, traits: dict[str, str] | None = None) -> None:
        """Store what a person bought as intake does: sealed events, trail, message ids, an e-mail they are known by."""
        person, key = self.find(name)
        now_ms = self.clock.now_ms()

        def job(session):
            numbers = items.number_of(session, bought, now_ms)
            seq = meta.allocate(session, "records", 1)
            events = [
                {"type": "track", "user_id": name, "event": "Order Completed", "product": each, "purposes": purposes}
                for each in bought
            ]
            if traits:
                events.append({"type": "identify", "traits": traits, "purposes": purposes})
                blind = self.vault.blind(Identifier("email", traits["email"]))
                people.add_identifier(session, "email", blind, person)
            trail = pack(entries([(numbers[each], now_ms // 86_400_000, 5, purposes) for each in bought]))
            row = RecordRow(
                seq,
                person,
                now_ms,
                purposes,
                key.seal("records", seq, msgspec.msgpack.encode(events)),
                key.seal("trails", seq, trail),
            )
            records.add_many(session, [row])
            seen_events.add_seen(session, [self.vault.digest_event_id(f"{name}-{seq}")])
            decision_id = self.randomness.bytes(16)
            answer = msgspec.msgpack.encode({"items": [[each, 1] for each in bought], "method": "personal"})
            sealed = key.seal("decisions", decision_number(decision_id), answer)
            decisions.add_many(session, [DecisionRow(decision_id, person, now_ms, "home", sealed)])

        self.store.write(job)

    def fill(self) -> None:
        """Let three people agree, act and be learned from; the fourth agrees to nothing that is learned."""
        for name, bought in (
            ("ann", ["tea", "mug", "jam"]),
            ("bob", ["tea", "mug"]),
            ("cid", ["jam", "mug", "pen"]),
        ):
            self.choose(name, ["personalize", "learn"])
            self.act(name, bought, traits={"email": f"{name}@example.org"} if name == "ann" else None)
        self.choose("dan", ["personalize"])
        self.act("dan", ["pen"], purposes=1)
        self.learning.train()


def gone(house: House, person: PersonId) -> bool:
    """Tell whether nothing of a person is left, table by table."""
    with house.store.read() as session:
        left = [
            people.state(session, person),
            people.key(session, person),
            *people.identifiers(session, person),
            *records.of(session, person),
            records.history(session, person),
            sums.contribution(session, "recommender", person),
            *log.of(session, person),
        ]
    return not any(left)
