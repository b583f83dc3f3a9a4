"""Events whose consent was stated by the operator, with evidence, instead of arriving with each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.consent import NO_SIGNALS, decide_event
from assent.intake.dropped import Dropped
from assent.terms.refusals import DUPLICATE, EXPIRED, NO_CONSENT
from assent.vault import Act
from assent.vault.seals import EVIDENCE

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.intake.batch_work import BatchWork
    from assent.intake.consent_gate import ConsentGate
    from assent.intake.known_people import Known, KnownPeople
    from assent.intake.parse import Group
    from assent.store import Session

#: The source that the ledger keeps for consent stated with an import.
SOURCE = "import"


@dataclass(frozen=True, slots=True)
class StatedGroup:
    """One person's events of a file: how many of its lines each event holds, and the purposes that were agreed to."""

    group: Group
    lines: list[int]
    purposes: frozenset[str]


class StatedConsents:
    """Takes in events under stated consent. A no that the ledger holds is never overruled by a file."""

    def __init__(self, ledger: Ledger, known: KnownPeople, gate: ConsentGate) -> None:
        """Share the known people and the consent gate of the other write jobs."""
        self._ledger = ledger
        self._people = known
        self._gate = gate

    def gather(
        self, session: Session, stated: Sequence[StatedGroup], seen: set[bytes], evidence: str, work: BatchWork
    ) -> Counter[str]:
        """Sort events into people's shares; return how many lines were imported, or left out for which reason."""
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
        """Put one person's events into their share; return `imported`, or why not."""
        try:
            found = self._people.find(session, group)
        except Dropped as dropped:
            return dropped.reason
        if not purposes & self._ledger.purposes.keeping.keys():
            return NO_CONSENT
        known = found.known or self._gate.begin(session, found, work)
        self._state(session, known, purposes, evidence, work)
        settled = decide_event(known.states, NO_SIGNALS, work.now_ms, work.now_ms)
        if settled.mask:
            self._people.attach(session, known, found.attach)
            work.keep(known, settled.mask, group)
            return "imported"
        return settled.refused_by

    def _state(self, session: Session, known: Known, purposes: frozenset[str], evidence: str, work: BatchWork) -> None:
        """Write the stated consent into the ledger where nothing was decided, or what was decided has run out."""
        said = False
        for purpose in sorted(purposes):
            held = known.states.get(purpose)
            if held is not None and held.refusal(work.now_ms) != EXPIRED:
                continue
            sealed = self._people.key(known).seal(EVIDENCE, 0, evidence.encode())
            entry = self._ledger.record(
                session, known.person, purpose, "granted", SOURCE, evidence=sealed, at_ms=work.now_ms
            )
            work.acts.append(Act("consent granted", {"entry": entry.entry_id, "purpose": purpose}, known.person))
            said = True
        if said:
            known.states = self._ledger.states(session, known.person)
            work.changed = True
