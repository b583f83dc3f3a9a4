"""The consent gate: it decides the purposes that events may be kept for, and writes what signals change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.consent import NO_SIGNALS, Change, Signals, agree, allowed_bits, decide_event
from assent.intake.batch_work import PersonShare
from assent.intake.known_people import Found, LastConsent
from assent.intake.merge import moved_record
from assent.store.topics import meta, people
from assent.terms.purposes import EVERY_PURPOSE
from assent.terms.refusals import NO_CONSENT, REFUSED, SIGNAL, WITHDRAWN
from assent.vault import Act

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.consent import EventConsent, Ledger
    from assent.intake.batch_work import BatchWork
    from assent.intake.known_people import IntakePerson, KnownPeople
    from assent.intake.parse import Group
    from assent.learn import SumsKeeper, Withdrawals
    from assent.store import Session
    from assent.vault import Vault


class ConsentGate:
    """Admits the events that a person agreed to, and no others; keeps ledger, records and sums in step with signals."""

    def __init__(
        self, vault: Vault, ledger: Ledger, learning: SumsKeeper, withdrawals: Withdrawals, people: KnownPeople
    ) -> None:
        self._vault = vault
        self._ledger = ledger
        self._learning = learning
        self._withdrawals = withdrawals
        self._people = people

    def admit_person(
        self, session: Session, group: Group, person: IntakePerson, signals: Signals, work: BatchWork
    ) -> None:
        """Do the same as `admit` for a person whom all of the group's names lead to: the hot path.

        Where signals and ledger agree, the answer is the same for every event until the first of the consents ends.
        """
        last = person.last_consent
        if (
            last is not None
            and last.states is person.states
            and last.signals is signals
            and work.now_ms < last.until_ms
        ):
            work.keep(person, last.mask, group)
            return
        outcome = decide_event(person.states, signals, group.newest_ms, work.now_ms)
        if outcome.changes:
            self.admit(session, group, Found(person), signals, work)
        elif outcome.mask:
            if agree(person.states, signals, work.now_ms):
                ends_ms = min(state.until_ms for state in person.states.values() if state.until_ms > work.now_ms)
                person.last_consent = LastConsent(person.states, signals, ends_ms, outcome.mask)
            work.keep(person, outcome.mask, group)
        else:
            work.drop(outcome.refused_by, group)

    def admit(self, session: Session, group: Group, found: Found, signals: Signals, work: BatchWork) -> None:
        """Add the events that some purpose permits to the work; count the others by their refusal.

        Most groups change nothing in the ledger: if the newest event does not, none does, and one answer serves all.
        """
        states = {} if found.person is None else found.person.states
        outcome = decide_event(states, signals, group.newest_ms, work.now_ms)
        if not outcome.changes:
            self._keep(session, group, found, outcome, signals, work)
            return
        for place, event in enumerate(group.events):
            states = {} if found.person is None else found.person.states
            outcome = decide_event(states, signals, event.at_ms, work.now_ms)
            if outcome.changes and (found.person is not None or outcome.mask):
                self.change(session, found.person or self.begin(session, found, work), outcome.changes, work)
            self._keep(session, group.only([place]), found, outcome, signals, work)

    def _keep(
        self, session: Session, group: Group, found: Found, outcome: EventConsent, signals: Signals, work: BatchWork
    ) -> None:
        """Put events that may be kept into their person's share; people are made, named and merged only here."""
        if not outcome.mask:
            work.drop(outcome.refused_by, group)
            return
        person = found.person or self.begin(session, found, work)
        mask = outcome.mask
        if found.attach:
            self._people.attach(session, person, found.attach)
            found.attach = []
        if found.absorb is not None:
            source, found.absorb = found.absorb, None
            self._join(session, source, person, work)
            mask &= allowed_bits(person.states, signals, work.now_ms)
            if not mask:
                work.drop(NO_CONSENT, group)
                return
        work.keep(person, mask, group)

    def begin(self, session: Session, found: Found, work: BatchWork) -> IntakePerson:
        """Add the person of a group of events, with a key of their own."""
        person = found.person = self._people.add(session, work.now_ms)
        work.acts.append(Act("key made", {}, person.id))
        work.changed = True
        return person

    def change(self, session: Session, person: IntakePerson, changes: Iterable[Change], work: BatchWork) -> None:
        """Write changes of consent into the ledger and carry out withdrawals at once."""
        withdrawn = []
        for entry in self._ledger.apply(session, person.id, changes):
            detail = {"entry": entry.entry_id, "purpose": entry.purpose}
            work.acts.append(Act(f"consent {entry.action}", detail, person.id))
            if entry.action == "withdrawn":
                withdrawn.append(entry.purpose)
        if withdrawn:
            self._withdrawals.carry_out(session, person.id, self._people.key(person), withdrawn)
            if person.id in work.shares:
                gone = sum(self._ledger.purposes.bit(purpose) for purpose in set(withdrawn))
                work.shares[person.id].keep_only(EVERY_PURPOSE & ~gone, SIGNAL)
        person.states = self._ledger.states(session, person.id)
        work.changed = True

    # -- merging -------------------------------------------------------------------------------------------------

    def _join(self, session: Session, source: IntakePerson, target: IntakePerson, work: BatchWork) -> None:
        """Merge a visitor (`source`) into a known person (`target`): records move as far as the target agrees.

        The target's consent decides. A refusal of the source that is later than the target's consent holds for both.
        All other data of the source is deleted, the key last.
        """
        self.change(session, target, _stricter(source, target, work.now_ms), work)
        allowed = allowed_bits(target.states, NO_SIGNALS, work.now_ms)
        if source.id in work.shares:
            share = work.shares.pop(source.id)
            share.keep_only(allowed, NO_CONSENT)
            work.shares.setdefault(target.id, PersonShare(target)).parts += share.parts
        source_key = self._people.key(source)
        moved = moved_record(session, self._vault, source_key, self._people.key(target), allowed, work.now_ms)
        if moved is not None:
            work.moved.append(moved)
        self._learning.forget_person(session, source.id, source_key)
        people.merge(session, source.id, target.id)
        people.delete(session, source.id)
        self._vault.drop_key(source.id)
        self._people.replace(source, target)
        work.acts = [act for act in work.acts if act.person != source.id]
        meta.bump_epoch(session)
        work.changed = True


def _stricter(source: IntakePerson, target: IntakePerson, now_ms: int) -> list[Change]:
    """Return the withdrawals that a known person gets from the visitor: later noes outweigh earlier yeses."""
    changes = []
    for purpose, source_state in source.states.items():
        current = target.states.get(purpose)
        if current is None or current.until_ms <= now_ms or source_state.at_ms < current.at_ms:
            continue
        if source_state.refusal(now_ms) in {WITHDRAWN, REFUSED}:
            changes.append(Change(purpose, "withdrawn", source_state.source, source_state.at_ms))
    return changes
