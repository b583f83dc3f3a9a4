"""Consent at the door: which events may be kept for what, and what a signal changes in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.consent import NO_SIGNALS, Change, Signals, agree, allowed_bits, decide_event
from assent.intake.batch_work import PersonShare
from assent.intake.known_people import Found, LastSettled
from assent.intake.merge import moved_record
from assent.store.topics import meta, people
from assent.terms.purposes import EVERY_PURPOSE
from assent.terms.refusals import NO_CONSENT, REFUSED, SIGNAL, WITHDRAWN
from assent.vault import Act

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.consent import EventConsent, Ledger
    from assent.intake.batch_work import BatchWork
    from assent.intake.known_people import Known, KnownPeople
    from assent.intake.parse import Group
    from assent.learn import SumsKeeper, Withdrawals
    from assent.store import Session
    from assent.vault import Vault


class ConsentGate:
    """Lets in what somebody agreed to, and nothing else; keeps ledger, records and sums in step with every signal."""

    def __init__(
        self, vault: Vault, ledger: Ledger, learning: SumsKeeper, withdrawals: Withdrawals, known: KnownPeople
    ) -> None:
        """Hold the rooms that a change of consent reaches."""
        self._vault = vault
        self._ledger = ledger
        self._learning = learning
        self._withdrawals = withdrawals
        self._people = known

    def admit_known(self, session: Session, group: Group, known: Known, signals: Signals, work: BatchWork) -> None:
        """Do what `admit` does for a person whom all of the group's names lead to: the hot path.

        Where signals and ledger agree, it is the same for every event until the first of the consents ends.
        """
        last = known.settled
        if last is not None and last.states is known.states and last.signals is signals and work.now_ms < last.until_ms:
            work.keep(known, last.mask, group)
            return
        settled = decide_event(known.states, signals, group.newest_ms, work.now_ms)
        if settled.changes:
            self.admit(session, group, Found(known), signals, work)
        elif settled.mask:
            if agree(known.states, signals, work.now_ms):
                ends_ms = min(state.until_ms for state in known.states.values() if state.until_ms > work.now_ms)
                known.settled = LastSettled(known.states, signals, ends_ms, settled.mask)
            work.keep(known, settled.mask, group)
        else:
            work.drop(settled.refused_by, group)

    def admit(self, session: Session, group: Group, found: Found, signals: Signals, work: BatchWork) -> None:
        """Add to the work those events that some purpose permits; count the others by what refused them.

        Most groups change nothing in the ledger: if the newest event does not, none does, and one answer serves all.
        """
        states = {} if found.known is None else found.known.states
        settled = decide_event(states, signals, group.newest_ms, work.now_ms)
        if not settled.changes:
            self._keep(session, group, found, settled, signals, work)
            return
        for place, event in enumerate(group.events):
            states = {} if found.known is None else found.known.states
            settled = decide_event(states, signals, event.at_ms, work.now_ms)
            if settled.changes and (found.known is not None or settled.mask):
                self.change(session, found.known or self.begin(session, found, work), settled.changes, work)
            self._keep(session, group.only([place]), found, settled, signals, work)

    def _keep(
        self, session: Session, group: Group, found: Found, settled: EventConsent, signals: Signals, work: BatchWork
    ) -> None:
        """Put events that may be kept into their person's share; only now are people made, named and joined."""
        if not settled.mask:
            work.drop(settled.refused_by, group)
            return
        known = found.known or self.begin(session, found, work)
        mask = settled.mask
        if found.attach:
            self._people.attach(session, known, found.attach)
            found.attach = []
        if found.absorb is not None:
            source, found.absorb = found.absorb, None
            self._join(session, source, known, work)
            mask &= allowed_bits(known.states, signals, work.now_ms)
            if not mask:
                work.drop(NO_CONSENT, group)
                return
        work.keep(known, mask, group)

    def begin(self, session: Session, found: Found, work: BatchWork) -> Known:
        """Make the person whom a group of events is about."""
        known = found.known = self._people.add(session, work.now_ms)
        work.acts.append(Act("key made", {}, known.person))
        work.changed = True
        return known

    def change(self, session: Session, known: Known, changes: Iterable[Change], work: BatchWork) -> None:
        """Write changes of consent into the ledger and carry out at once what a withdrawal means."""
        withdrawn = []
        for entry in self._ledger.apply(session, known.person, changes):
            detail = {"entry": entry.entry_id, "purpose": entry.purpose}
            work.acts.append(Act(f"consent {entry.action}", detail, known.person))
            if entry.action == "withdrawn":
                withdrawn.append(entry.purpose)
        if withdrawn:
            self._withdrawals.carry_out(session, known.person, self._people.key(known), withdrawn)
            if known.person in work.shares:
                gone = sum(self._ledger.purposes.bit(purpose) for purpose in set(withdrawn))
                work.shares[known.person].keep_only(EVERY_PURPOSE & ~gone, SIGNAL)
        known.states = self._ledger.states(session, known.person)
        work.changed = True

    # -- two people who are one ----------------------------------------------------------------------------------

    def _join(self, session: Session, source: Known, target: Known, work: BatchWork) -> None:
        """Let a visitor become the person they turned out to be: what was kept moves as far as that person agrees.

        The known person's own consent decides. What the visitor refused later than the known person agreed holds for
        both. Everything of the visitor that is not moved is deleted, their key last.
        """
        self.change(session, target, _stricter(source, target, work.now_ms), work)
        allowed = allowed_bits(target.states, NO_SIGNALS, work.now_ms)
        if source.person in work.shares:
            share = work.shares.pop(source.person)
            share.keep_only(allowed, NO_CONSENT)
            work.shares.setdefault(target.person, PersonShare(target)).parts += share.parts
        source_key = self._people.key(source)
        moved = moved_record(session, self._vault, source_key, self._people.key(target), allowed, work.now_ms)
        if moved is not None:
            work.moved.append(moved)
        self._learning.forget_person(session, source.person, source_key)
        people.merge(session, source.person, target.person)
        people.delete(session, source.person)
        self._vault.drop_key(source.person)
        self._people.replace(source, target)
        work.acts = [act for act in work.acts if act.person != source.person]
        meta.bump_epoch(session)
        work.changed = True


def _stricter(source: Known, target: Known, now_ms: int) -> list[Change]:
    """Return the withdrawals that a known person gets from the visitor they were: later noes outweigh earlier yeses."""
    changes = []
    for purpose, said in source.states.items():
        held = target.states.get(purpose)
        if held is None or held.until_ms <= now_ms or said.at_ms < held.at_ms:
            continue
        if said.refusal(now_ms) in {WITHDRAWN, REFUSED}:
            changes.append(Change(purpose, "withdrawn", said.source, said.at_ms))
    return changes
