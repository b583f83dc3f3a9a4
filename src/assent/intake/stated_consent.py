"""Stated consent: the operator states it for a whole file, with evidence, instead of each event carrying it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.consent import NO_SIGNALS, decide_event
from assent.intake.drops import DroppedEvent
from assent.terms.refusals import DUPLICATE, EXPIRED, NO_CONSENT
from assent.vault import Act
from assent.vault.seals import EVIDENCE

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.intake.batch_work import BatchWork
    from assent.intake.consent_gate import ConsentGate
    from assent.intake.known_people import IntakePerson, KnownPeople
    from assent.intake.parse import Group
    from assent.store import Session

#: The source that the ledger keeps for consent stated with an import.
SOURCE = "import"


@dataclass(frozen=True, slots=True)
class StatedGroup:
    """One person's events of a file, the number of lines behind each event, and the purposes that were agreed to."""

    group: Group
    lines: list[int]
    purposes: frozenset[str]


class StatedConsents:
    """Takes in events under stated consent. A file never overrules a refusal in the ledger."""

    def __init__(self, ledger: Ledger, people: KnownPeople, gate: ConsentGate) -> None:
        self._ledger = ledger
        self._people = people
        self._gate = gate

    def gather(
        self, session: Session, stated: Sequence[StatedGroup], seen: set[bytes], evidence: str, work: BatchWork
    ) -> Counter[str]:
        """Sort events into people's shares; return the number of lines imported, and left out for each reason."""
        table: Counter[str] = Counter()
        self._people.load(session, [each.group for each in stated])
        for each in stated:
            fresh = []
            lines = 0
            for place, (digest, count) in enumerate(zip(each.group.digests, each.lines, strict=True)):
                if digest is not None and digest in seen:
                    table[DUPLICATE] += count
                    continue
                if digest is not None:
                    seen.add(digest)
                fresh.append(place)
                lines += count
            if fresh:
                group = each.group if len(fresh) == len(each.lines) else each.group.only(fresh)
                table[self._admit(session, each.purposes, group, evidence, work)] += lines
        return table

    def _admit(self, session: Session, purposes: frozenset[str], group: Group, evidence: str, work: BatchWork) -> str:
        """Put one person's events into their share; return `imported`, or the reason against it."""
        try:
            found = self._people.find(session, group)
        except DroppedEvent as dropped:
            return dropped.reason
        if not purposes & self._ledger.purposes.keeping.keys():
            return NO_CONSENT
        person = found.person or self._gate.begin(session, found, work)
        self._state(session, person, purposes, evidence, work)
        outcome = decide_event(person.states, NO_SIGNALS, work.now_ms, work.now_ms)
        if outcome.mask:
            self._people.attach(session, person, found.attach)
            work.keep(person, outcome.mask, group)
            return "imported"
        return outcome.refused_by

    def _state(
        self, session: Session, person: IntakePerson, purposes: frozenset[str], evidence: str, work: BatchWork
    ) -> None:
        """Write the stated consent into the ledger, where there is no choice yet or it has expired."""
        changed = False
        for purpose in sorted(purposes):
            state = person.states.get(purpose)
            if state is not None and state.refusal(work.now_ms) != EXPIRED:
                continue
            sealed = self._people.key(person).seal(EVIDENCE, 0, evidence.encode())
            entry = self._ledger.record(
                session, person.id, purpose, "granted", SOURCE, evidence=sealed, at_ms=work.now_ms
            )
            work.acts.append(Act("consent granted", {"entry": entry.entry_id, "purpose": purpose}, person.id))
            changed = True
        if changed:
            person.states = self._ledger.states(session, person.id)
            work.changed = True
