"""The export of one person's data, opened with their own key and ready for JSON: access and portability."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from assent.learn import registry
from assent.store.topics import decisions, items, people, sums
from assent.terms.answers.people import ConsentEntry, Consents, Export, PurposeState
from assent.terms.clock import DAY_MS, to_text
from assent.terms.errors import InvalidInput
from assent.terms.events import ACTION_BY_CODE
from assent.terms.ids import IDENTIFIER_KINDS, identifier
from assent.terms.refusals import NOT_GRANTED
from assent.vault import decision_number, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assent.consent import Controller, Ledger, Purposes, State
    from assent.store import Session
    from assent.terms.ids import Identifier, PersonId
    from assent.vault import AuditLog, Opened, PersonKey, Vault

FORMAT = "assent-export-1"
#: The fields of an event that may hold an identifier.
NAMING = ("user_id", "anonymous_id", "previous_id", "email")

ALSO_HELD = (
    "keyed digests of the identifiers above, to find this person",
    "keyed digests of the ids of all events, tied to nobody, so that none is counted twice",
    "a part in the sums over everybody who agreed to it, listed under models",
)

_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Exporter:
    """Collects one person's data from every table, in one snapshot."""

    vault: Vault
    ledger: Ledger
    audit: AuditLog
    controller: Controller

    def collect(self, session: Session, person: PersonId, key: PersonKey, named_by: Sequence[Identifier]) -> Export:
        """Return all data of `person`; `named_by` are the identifiers of the request."""
        opened = self.vault.export_records(session, key)
        names = {row.number: row.id for row in items.all(session)}
        return Export(
            format=FORMAT,
            made=to_text(self.vault.clock.now_ms()),
            person=person.hex(),
            controller=asdict(self.controller),
            identifiers=self._identifiers(session, person, opened, named_by),
            events=[_event(each, self.ledger.purposes) for each in opened],
            history=self._history(session, key, names),
            consents=self.consents(session, person),
            receipts=self._receipts(session, person, key),
            decisions=[
                {
                    "decision": row.decision_id.hex(),
                    "at": to_text(row.at_ms),
                    "slot": row.slot,
                    "answer": _decode(key.open("decisions", decision_number(row.decision_id), row.sealed)),
                }
                for row in decisions.of(session, person)
            ],
            models=self._models(session, person, key, names),
            log=[
                {"entry": each.index, "at": to_text(each.at_ms), "kind": each.kind, "detail": dict(each.detail)}
                for each in self.audit.of(session, person)
            ],
            also_held=list(ALSO_HELD),
            purposes=self.ledger.purposes.rows(),
        )

    def consents(self, session: Session, person: PersonId) -> Consents:
        """Return a person's consent, purpose by purpose, and every ledger entry behind it."""
        now_ms = self.vault.clock.now_ms()
        states = self.ledger.states(session, person)
        purposes = {
            declared.id: _purpose_state(states.get(declared.id), now_ms, optional=declared.optional)
            for declared in self.ledger.purposes.all()
        }
        entries = [
            ConsentEntry(
                receipt=entry.entry_id,
                purpose=entry.purpose,
                action=entry.action,
                at=to_text(entry.at_ms),
                until=None if entry.expires_ms is None else to_text(entry.expires_ms),
                source=entry.source,
                notice=entry.notice_hash,
                language=entry.language,
            )
            for entry in self.ledger.entries(session, person)
        ]
        return Consents(purposes, entries)

    def _receipts(self, session: Session, person: PersonId, key: PersonKey) -> list[dict[str, Any]]:
        """Return the signed receipt of every entry, with the evidence that was kept for it."""
        return [
            {
                **self.vault.sign(self.ledger.receipt(session, entry, self.controller)),
                "evidence": None if entry.evidence is None else key.open("ledger", 0, entry.evidence).decode(),
            }
            for entry in self.ledger.entries(session, person)
        ]

    def _history(self, session: Session, key: PersonKey, names: Mapping[int, str]) -> list[dict[str, Any]]:
        return [
            {
                "item": names[item],
                "day": to_text(day * DAY_MS)[:10],
                "action": ACTION_BY_CODE[action].event,
                "purposes": self.ledger.purposes.named(purposes),
            }
            for item, day, action, purposes in rows_of(self.vault.export_history(session, key))
        ]

    def _models(
        self, session: Session, person: PersonId, key: PersonKey, names: Mapping[int, str]
    ) -> dict[str, dict[str, Any]]:
        """Return the person's contribution to each model's sum: exactly this would be subtracted."""
        described = {}
        for kind in registry.KINDS:
            sealed = sums.contribution(session, kind.name, person)
            if sealed is not None:
                stored = self.vault.open_contribution(key, kind.name, sealed)
                described[kind.name] = kind.model.describe(kind.model.read_contribution(stored), names)
        return described

    def _identifiers(
        self, session: Session, person: PersonId, opened: Sequence[Opened], named_by: Sequence[Identifier]
    ) -> list[dict[str, Any]]:
        """Return every identifier, with its value if an event or the request has it: the index holds digests only."""
        values = {blind: each.value for each in named_by for blind in self.vault.blinds([each])}
        for value in {value for each in opened for value in _names(each.event)}:
            for kind in IDENTIFIER_KINDS:
                try:
                    named = identifier(kind, value)
                except InvalidInput:
                    continue
                values[kind, self.vault.blind(named)] = named.value
        return [
            {"kind": kind, "value": values.get((kind, blind))} for kind, blind in people.identifiers(session, person)
        ]


def _purpose_state(state: State | None, now_ms: int, *, optional: bool) -> PurposeState:
    """Return the state of a purpose now, from the ledger's last entry."""
    if state is None:
        return PurposeState(allowed=not optional, why_not=NOT_GRANTED if optional else None)
    why = state.refusal(now_ms)
    return PurposeState(
        allowed=why is None,
        why_not=why,
        since=to_text(state.at_ms),
        until=to_text(state.until_ms) if why is None else None,
        source=state.source,
        receipt=state.entry_id,
    )


def _names(event: Any) -> Iterator[str]:
    """Yield every text of an event that may be an identifier."""
    for part in (event, event.get("traits")) if isinstance(event, dict) else ():
        if isinstance(part, dict):
            yield from (part[name] for name in NAMING if isinstance(part.get(name), str))


def _event(opened: Opened, purposes: Purposes) -> dict[str, Any]:
    event = opened.event
    if isinstance(event, dict):
        event = {name: value for name, value in event.items() if name != "purposes"}
    return {"taken_in": to_text(opened.at_ms), "purposes": purposes.named(opened.purposes), "event": event}
