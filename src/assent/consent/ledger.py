"""The ledger: append-only, one entry for every consent given, refused, withdrawn, expired or invalidated.

Only `may()` and `permits()` mint permits: `may()` returns a `Permit` that is valid for seconds, or a `Refusal` with a
stable reason.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from assent.consent.contexts import read_signals
from assent.consent.purpose import DeclaredPurpose
from assent.consent.purposes import Purposes
from assent.consent.receipts import Controller, Entry, receipt
from assent.consent.signals import NO_SIGNALS, Signals, unknown_mode
from assent.consent.states import ACTIONS, Change, State, expiry_ms
from assent.store import Session
from assent.store.topics import consents, meta, people
from assent.store.topics.consents import StateRow
from assent.terms.clock import Clock
from assent.terms.errors import Conflict, InvalidInput, NotFound
from assent.terms.ids import PersonId
from assent.terms.limits import limit
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Purpose
from assent.terms.randomness import Randomness
from assent.terms.refusals import EXPIRED, NOT_GRANTED, UNKNOWN_PERSON
from assent.terms.settings import GPC_MODES

P = TypeVar("P", bound=Purpose)

#: The form of an entry's source: it is kept in the clear, so it is never an address or a sentence.
_SOURCE = re.compile(r"[A-Za-z0-9 ._:/+-]{1,64}")

_PERMIT_MS = limit("permit_ttl_seconds") * 1000


class Ledger:
    """Writes and reads consents; it has no state of its own, so that a withdrawal is in force with the next call."""

    def __init__(
        self,
        purposes: Purposes,
        clock: Clock,
        randomness: Randomness,
        *,
        gpc_mode: str = "strict",
        language: str | None = None,
    ) -> None:
        """Take these purposes; `gpc_mode` says which of them Global Privacy Control refuses (`strict` or `sharing`).

        `language` is that of the notice an entry points to where none is named: the first of the purposes unless given.
        Raises `InvalidInput` for a mode that does not exist, and for a language in which a purpose has no notice.
        """
        if gpc_mode not in GPC_MODES:
            raise unknown_mode()
        self._language = purposes.languages[0] if language is None else language
        for declared in purposes.all():
            declared.notice(self._language)
        self.purposes = purposes
        self._clock = clock
        self._randomness = randomness
        self._gpc_mode = gpc_mode

    # -- asking --------------------------------------------------------------------------------------------------

    def may(
        self,
        session: Session,
        person: PersonId,
        tag: type[P],
        signals: Signals = NO_SIGNALS,
        *,
        status: str | None = None,
    ) -> Permit[P] | Refusal:
        """Ask whether a person's records may serve a purpose now; raises `UnknownPurpose`.

        `status` is the person's state if the same session has read it already.

        Reasons of a refusal: `unknown_person`, `erasing`, `signal`, `gpc`, `not_granted`, `refused`, `withdrawn`,
        `expired`, `notice_changed`. The most restrictive of ledger and signals wins.
        """
        declared = self.purposes.get(tag.id)
        status = status or people.state(session, person)
        state = self.state(session, person, tag) if status == people.ACTIVE and declared.optional else None
        return self.judge(person, tag, signals, status=status, state=state, epoch=meta.epoch(session))

    def permits(self, session: Session, persons: Iterable[PersonId], tag: type[P]) -> dict[PersonId, Permit[P]]:
        """Return the permits of many people, by three queries; people whom `may` would refuse are left out.

        Raises `UnknownPurpose`.
        """
        self.purposes.get(tag.id)
        wanted = list(persons)
        epoch = meta.epoch(session)
        active = people.active_among(session, wanted)
        states = self.states_many(session, wanted)
        answers = [
            self.judge(person, tag, NO_SIGNALS, status=people.ACTIVE, state=states[person].get(tag.id), epoch=epoch)
            for person in wanted
            if person in active
        ]
        return {answer.person: answer for answer in answers if isinstance(answer, Permit)}

    def state(self, session: Session, person: PersonId, tag: type[Purpose]) -> State | None:
        """Return the last state of one purpose of a person, None without an entry."""
        row = consents.state(session, person, tag.id)
        return None if row is None else self._state(row)

    def judge(
        self, person: PersonId, tag: type[P], signals: Signals, *, status: str | None, state: State | None, epoch: int
    ) -> Permit[P] | Refusal:
        """Answer as `may` does, from a person's status and `state` of the purpose, both read at `epoch`.

        For callers that keep both in memory until the store's epoch changes. Raises `UnknownPurpose`.
        """
        declared = self.purposes.get(tag.id)
        if status != people.ACTIVE:
            return Refusal(tag, UNKNOWN_PERSON if status is None else status, "people")
        now_ms = self._clock.now_ms()
        if not declared.optional:
            return Permit(person, tag, now_ms + _PERMIT_MS, declared.legal_basis, f"purposes:{declared.id}", epoch)
        said_no = signals.refusal(tag.id)
        if said_no is not None:
            return Refusal(tag, *said_no)
        if state is None:
            return Refusal(tag, NOT_GRANTED, "ledger")
        reason = state.refusal(now_ms)
        if reason is not None:
            return Refusal(tag, reason, state.entry_id)
        return Permit(person, tag, min(now_ms + _PERMIT_MS, state.until_ms), "granted", state.entry_id, epoch)

    def states(self, session: Session, person: PersonId) -> dict[str, State]:
        """Return the last state of each purpose that a person ever decided on."""
        return {row.purpose: self._state(row) for row in consents.states(session, person)}

    def states_many(self, session: Session, persons: Iterable[PersonId]) -> dict[PersonId, dict[str, State]]:
        """Return the states of many people; the answer has each of them."""
        wanted = list(persons)
        found = consents.states_many(session, wanted)
        return {person: {row.purpose: self._state(row) for row in found[person]} for person in wanted}

    def signals_of(self, context: Mapping[str, Any] | None = None, *, gpc: bool = False) -> Signals:
        """Read the signals of one event or request, under this shop's purposes and its mode of GPC."""
        return read_signals(context, gpc, self._gpc_mode, self.purposes)

    def people_granting(self, session: Session, tag: type[Purpose]) -> list[PersonId]:
        """Return the people whose consent to a purpose is in force now, by the ledger; raises `UnknownPurpose`."""
        purpose = self.purposes.get(tag.id).id
        now_ms = self._clock.now_ms()
        granted = consents.granted_people(session, purpose, now_ms)
        states = self.states_many(session, granted)
        return [person for person in granted if states[person][purpose].refusal(now_ms) is None]

    # -- writing -------------------------------------------------------------------------------------------------

    def record(
        self,
        session: Session,
        person: PersonId,
        purpose_id: str,
        action: str,
        source: str,
        language: str | None = None,
        evidence: bytes | None = None,
        at_ms: int | None = None,
    ) -> Entry:
        """Append one entry, in force with the next call. `evidence` is sealed bytes; `at_ms` is never later than now.

        `language` is that of the notice, the ledger's own unless named. Saying again what holds is recorded again.
        Raises `UnknownPurpose`, `InvalidInput` (no such action, a purpose that is not optional, a language without
        notice, a source that is not a short word), `NotFound`, `Conflict` (the person is being erased).
        """
        declared = self.purposes.get(purpose_id)
        self._check(declared, action, source)
        self._check_person(session, person)
        notice = declared.notice(language or self._language)
        now_ms = self._clock.now_ms()
        said_ms = now_ms if at_ms is None else min(at_ms, now_ms)
        consents.put_notice(session, notice.hash, notice.language, notice.words)
        entry = Entry(
            entry_id=self._new_id(),
            person=person,
            purpose=purpose_id,
            action=action,
            at_ms=said_ms,
            expires_ms=expiry_ms(said_ms) if action == "granted" else None,
            source=source,
            notice_hash=notice.hash,
            language=notice.language,
            evidence=evidence,
        )
        self._append(session, entry)
        return entry

    def apply(self, session: Session, person: PersonId, changes: Iterable[Change]) -> list[Entry]:
        """Append the changes that `decide_event` returned; raises as `record`."""
        return [
            self.record(session, person, change.purpose, change.action, change.source, at_ms=change.at_ms)
            for change in changes
        ]

    def lapse(self, session: Session, person: PersonId) -> list[Entry]:
        """Append `expired` and `invalidated` entries for consents that time or a new notice ended, once each.

        `may()` refuses them in any case; the entries tell the person and the auditor. Raises `NotFound`, `Conflict`.
        """
        self._check_person(session, person)
        now_ms = self._clock.now_ms()
        said = {entry.entry_id: entry for entry in consents.entries(session, person)}
        made = []
        for row in consents.states(session, person):
            reason = self._state(row).refusal(now_ms)
            # A purpose of the shop that this process does not declare is another's to judge.
            if row.action != "granted" or reason is None or not self.purposes.declares(row.purpose):
                continue
            entry = said[row.entry_id]._replace(
                entry_id=self._new_id(),
                action="expired" if reason == EXPIRED else "invalidated",
                at_ms=now_ms,
                expires_ms=None,
                source="ledger",
                evidence=None,
            )
            self._append(session, entry)
            made.append(entry)
        return made

    # -- showing -------------------------------------------------------------------------------------------------

    def entries(self, session: Session, person: PersonId) -> list[Entry]:
        """Return every ledger entry of a person, oldest first."""
        return consents.entries(session, person)

    def entry(self, session: Session, entry_id: str) -> Entry | None:
        """Return the entry of that id, None when there is none."""
        return consents.entry(session, entry_id)

    def receipt(self, session: Session, entry: Entry, controller: Controller) -> dict[str, Any]:
        """Write the receipt of an entry (ISO/IEC TS 27560:2023 fields as DPV JSON-LD), not signed yet.

        The same for the same entry, controller and purposes, however often it is asked for.
        """
        row = consents.notice(session, entry.notice_hash)
        declared = None
        if self.purposes.is_current(entry.purpose, entry.notice_hash):
            declared = self.purposes.get(entry.purpose)
        return receipt(entry, controller, declared, "" if row is None else row.text)

    # -- inside --------------------------------------------------------------------------------------------------

    def _state(self, row: StateRow) -> State:
        return State(
            purpose=row.purpose,
            action=row.action,
            at_ms=row.at_ms,
            expires_ms=row.expires_ms,
            source=row.source,
            notice_hash=row.notice_hash,
            entry_id=row.entry_id,
            outdated=not self.purposes.is_current(row.purpose, row.notice_hash),
            bit=self.purposes.keeping.get(row.purpose, 0),
        )

    def _check(self, declared: DeclaredPurpose, action: str, source: str) -> None:
        if action not in ACTIONS:
            raise InvalidInput("There is no such action.", advice=f"Use one of: {', '.join(sorted(ACTIONS))}.")
        if not declared.optional:
            raise InvalidInput(
                f"'{declared.id}' is not a matter of consent.", advice="Grant or withdraw optional purposes."
            )
        if not _SOURCE.fullmatch(source):
            raise InvalidInput(
                "The source is not a short word.", advice="Name it in 1 to 64 letters, digits, spaces and . _ : / + -."
            )

    def _check_person(self, session: Session, person: PersonId) -> None:
        status = people.state(session, person)
        if status is None:
            raise NotFound("Nobody is known by that id.")
        if status != people.ACTIVE:
            raise Conflict("This person is being erased.", advice="Wait for the certificate, then ask again.")

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._randomness.bytes(16), version=4))

    def _append(self, session: Session, entry: Entry) -> None:
        consents.append(session, entry)
        meta.bump_epoch(session)
