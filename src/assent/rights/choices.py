"""Grants and withdrawals: one call each, in force with the next call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.store.topics import people
from assent.terms.errors import Conflict, InvalidInput, NotFound
from assent.terms.ids import PERSON_ID_BYTES, PersonId, identifiers_named
from assent.terms.limits import limit

if TYPE_CHECKING:
    from assent.rights.rooms import RightsRooms
    from assent.store import Session
    from assent.vault import PersonKey

#: The source that the ledger keeps for choices made through our own API.
SOURCE = "api"


@dataclass(frozen=True, slots=True)
class ConsentChoice:
    """The choice of a person: purposes to grant, purposes to withdraw, and its evidence."""

    person: str
    grant: Sequence[str]
    withdraw: Sequence[str]
    evidence: str | None
    language: str


class Choices:
    """Writes choices into the ledger and carries them out, in one transaction."""

    def __init__(self, rooms: RightsRooms) -> None:
        self._vault = rooms.vault
        self._ledger = rooms.ledger
        self._audit = rooms.audit
        self._withdrawals = rooms.withdrawals
        self._controller = rooms.controller

    def choose(self, session: Session, choice: ConsentChoice) -> list[dict[str, Any]]:
        """Record every choice, take withdrawn data out everywhere, and return a signed receipt for each.

        Raises `UnknownPurpose`, `InvalidInput` (nothing chosen), `NotFound`
        (a withdrawal by an unknown person), `Conflict` (the person is being erased).
        """
        self._check(choice)
        key = self._person(session, choice)
        person = key.person
        evidence = None
        if choice.evidence is not None:
            evidence = key.seal("ledger", 0, choice.evidence.encode())
        receipts = []
        for action, chosen in (("withdrawn", choice.withdraw), ("granted", choice.grant)):
            for purpose in chosen:
                entry = self._ledger.record(
                    session, person, purpose, action, SOURCE, language=choice.language, evidence=evidence
                )
                self._audit.append(session, f"consent {action}", {"entry": entry.entry_id, "purpose": purpose}, person)
                receipts.append(self._vault.sign(self._ledger.receipt(session, entry, self._controller)))
        self._withdrawals.carry_out(session, person, key, choice.withdraw)
        return receipts

    def _check(self, choice: ConsentChoice) -> None:
        if not choice.grant and not choice.withdraw:
            raise InvalidInput(
                "No purpose is granted or withdrawn.", advice="Name at least one purpose in grant or withdraw."
            )
        if choice.evidence is not None and len(choice.evidence) > limit("evidence_chars_max"):
            raise InvalidInput(
                "The evidence is too long.", advice=f"State it in at most {limit('evidence_chars_max')} characters."
            )
        for purpose in (*choice.grant, *choice.withdraw):
            self._ledger.purposes.get(purpose)

    def _person(self, session: Session, choice: ConsentChoice) -> PersonKey:
        """Return the key of the person; an unknown person who grants a purpose is added."""
        named = identifiers_named(choice.person)
        blinds = self._vault.blinds(named)
        row = people.load(session, blinds)
        if row is None and not choice.grant:
            raise NotFound(
                "Nobody is known by that name.", advice="Nothing is held about them, so there is nothing to withdraw."
            )
        if row is None:
            person = PersonId(self._vault.randomness.bytes(PERSON_ID_BYTES))
            now_ms = self._vault.clock.now_ms()
            people.add(session, person, now_ms)
            people.put_key(session, person, *self._vault.new_person_key(person))
            kind, blind = blinds[0]
            people.add_identifier(session, kind, blind, person)
            row = people.load(session, blinds)
        if row is None or row.state != people.ACTIVE or row.wrapped is None or row.key_id is None:
            raise Conflict("This person is being erased.", advice="Wait for the certificate, then ask again.")
        if choice.grant:
            people.unsuppress(session, blinds)
        return self._vault.key(PersonId(row.person), row.wrapped, row.key_id)
