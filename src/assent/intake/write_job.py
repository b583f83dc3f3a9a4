"""The write job of intake: it finds people, asks consent, drops repeats, and seals one record for each person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING

import msgspec

from assent.intake.batch_work import BatchWork, Part, PersonShare, Tally
from assent.intake.consent_gate import ConsentGate
from assent.intake.drops import DroppedEvent
from assent.intake.item_numbers import ItemNumbers
from assent.intake.known_people import KnownPeople
from assent.intake.parse import context_of
from assent.intake.stated_consent import StatedConsents, StatedGroup
from assent.store.topics import meta, records, seen_events
from assent.store.topics.records import RecordRow
from assent.terms.clock import DAY_MS
from assent.terms.refusals import DUPLICATE
from assent.vault import act_of

if TYPE_CHECKING:
    from assent.consent import Ledger, Signals
    from assent.intake.parse import Batch, ConsentText, Group
    from assent.intake.queue import SentBatch
    from assent.intake.wire import Event
    from assent.learn import SumsKeeper, Withdrawals
    from assent.store import Session
    from assent.terms.answers.events import TakenIn
    from assent.terms.ids import PersonId
    from assent.vault import AuditLog, Vault

#: One entry of a history: item number, day since 1970, act (the layout of `assent.vault.HISTORY`).
_ENTRY = Struct("<IHH").pack
_encode = msgspec.msgpack.Encoder().encode
_LAST_DAY = 0xFFFF
#: The number of people with a count of loose trails at which all counts are dropped.
CACHED_TRAIL_COUNTS = 200_000
#: Past so many loose trails intake folds a history itself. A training folds it anyway, and one fold costs as much as
#: reading about 30 trails.
FOLD_TRAILS = 64
#: The number of cached consent objects at which all are dropped.
CACHED_SIGNALS = 4_096
#: Longer consent objects are not cached.
CACHED_SIGNAL_BYTES = 2_048


class IntakeJob:
    """Does the write jobs of intake, in the writer's thread, with a cache of people and items.

    The cache may be ahead of the store only inside a transaction: when a job is undone, the cache is dropped.
    """

    def __init__(
        self, vault: Vault, ledger: Ledger, audit: AuditLog, learning: SumsKeeper, withdrawals: Withdrawals
    ) -> None:
        self._vault = vault
        self._ledger = ledger
        self._clock = vault.clock
        self._audit = audit
        self._people = KnownPeople(vault, ledger)
        self._gate = ConsentGate(vault, ledger, learning, withdrawals, self._people)
        self._stated = StatedConsents(ledger, self._people, self._gate)
        self._numbers = ItemNumbers()
        #: The number of trails of each person since the last fold, as counted by this process.
        self._loose: dict[PersonId, int] = {}
        self._signals: dict[tuple[ConsentText, bool], Signals] = {}
        self._epoch = -1

    def drop_person(self, person: PersonId) -> None:
        """Drop an erased person and all names from memory; in the writer's thread."""
        self._people.drop()
        self._people.drop_blinds()
        self._loose.pop(person, None)

    def take_in(self, session: Session, batches: Sequence[SentBatch]) -> tuple[list[TakenIn], int]:
        """Take in batches inside a write job.

        Returns the outcome of each batch's events, and the number of bytes kept of all.
        """
        self._refresh(session)
        work = BatchWork(self._clock.now_ms(), Tally(Counter()))
        groups = [group for batch, _ in batches for group in batch.groups]
        seen, repeats = self._repeats(session, groups)
        self._people.load(session, groups)
        tallies = []
        for batch, gpc in batches:
            work.tally = Tally(Counter(batch.dropped))
            tallies.append(work.tally)
            self._gather(session, batch, seen if repeats else None, work, gpc=gpc)
        self._write(session, work)
        return [tally.answer() for tally in tallies], work.bytes_kept

    def take_in_stated(self, session: Session, stated: Sequence[StatedGroup], evidence: str) -> Counter[str]:
        """Take in events under stated consent inside a write job; return the outcomes of their lines."""
        self._refresh(session)
        work = BatchWork(self._clock.now_ms(), Tally(Counter()))
        seen, _ = self._repeats(session, [each.group for each in stated])
        table = self._stated.gather(session, stated, seen, evidence, work)
        self._write(session, work)
        return table

    def _refresh(self, session: Session) -> None:
        """Drop people if consent, keys, suppression or erasures changed elsewhere; drop all if this job is undone."""
        session.after_undo(self._drop)
        epoch = meta.epoch(session)
        if epoch != self._epoch:
            self._people.drop()
            self._epoch = epoch

    def _drop(self) -> None:
        """Drop the caches that a job that is undone may have changed."""
        self._people.drop()
        self._numbers.drop()

    def _gather(self, session: Session, batch: Batch, seen: set[bytes] | None, work: BatchWork, *, gpc: bool) -> None:
        """Sort a batch's events into people's shares, if they are new and some purpose permits them."""
        for whole in batch.groups:
            group = whole
            if seen is not None:
                group = _without_repeats(whole, seen)
                work.tally.dropped[DUPLICATE] += len(whole.events) - len(group.events)
                if not group.events:
                    continue
            signals = self._signals.get((group.consent, gpc)) or self._read_signals(group.consent, gpc=gpc)
            person = self._people.active(group)
            if person is not None:
                self._gate.admit_person(session, group, person, signals, work)
                continue
            try:
                found = self._people.find(session, group)
            except DroppedEvent as dropped:
                work.drop(dropped.reason, group)
                continue
            self._gate.admit(session, group, found, signals, work)

    def _repeats(self, session: Session, groups: Sequence[Group]) -> tuple[set[bytes], bool]:
        """Return the digests that the store has seen, and True when the groups contain any repeated event."""
        digests = [digest for group in groups for digest in group.digests if digest is not None]
        seen = seen_events.seen(session, digests)
        return seen, bool(seen) or len(set(digests)) < len(digests)

    def _read_signals(self, consent: ConsentText, *, gpc: bool) -> Signals:
        """Read the consent objects of a group, and cache the signals by their text."""
        signals = self._ledger.signals_of(context_of(consent), gpc=gpc)
        if len(consent[0]) + len(consent[1]) <= CACHED_SIGNAL_BYTES:
            if len(self._signals) >= CACHED_SIGNALS:
                self._signals.clear()
            self._signals[consent, gpc] = signals
        return signals

    # -- writing -------------------------------------------------------------------------------------------------

    def _write(self, session: Session, work: BatchWork) -> None:
        """Seal and write the work, and count the stored events of each batch."""
        shares = [share for share in work.shares.values() if share.parts]
        rows = work.moved
        if shares:
            groups = []
            for share in shares:
                for part in share.parts:
                    part.tally.stored += len(part.group.events)
                    groups.append(part.group)
            self._number(session, groups, work.now_ms)
            first = meta.allocate(session, records.SEQUENCE, len(shares))
            rows += self._sealed(shares, first, work)
            seen_events.add_seen(
                session, [digest for group in groups for digest in group.digests if digest is not None]
            )
        if rows:
            records.add_many(session, rows)
        self._fold(session, shares)
        if work.acts:
            self._audit.append_many(session, work.acts)
        if work.changed:
            self._epoch = meta.epoch(session)

    def _fold(self, session: Session, shares: Sequence[PersonShare]) -> None:
        """Fold the histories with many loose trails, in case no training does: a reader opens every trail."""
        loose = self._loose
        if len(loose) > CACHED_TRAIL_COUNTS:
            loose.clear()
        for share in shares:
            person = share.person.id
            trails = loose.get(person, 0) + 1
            if trails > FOLD_TRAILS:
                self._vault.fold_history(session, person, self._people.key(share.person))
                trails = 0
            loose[person] = trails

    def _number(self, session: Session, groups: Sequence[Group], now_ms: int) -> None:
        """Look up the numbers of the items that these groups name, and write the day when each was seen last."""
        day = max(group.newest_ms for group in groups) // DAY_MS
        seen = self._numbers.seen_on(day)
        named = {item for group in groups for _, _, _, item in group.deeds if item not in seen}
        if not named:
            return
        self._numbers.learn(session, named, now_ms)
        if self._numbers.unseen(named, day):
            days: dict[str, int] = {}
            for group in groups:
                for _, day, _, item in group.deeds:
                    days[item] = max(day, days.get(item, 0))
            self._numbers.see(session, days)

    def _sealed(self, shares: Sequence[PersonShare], first: int, work: BatchWork) -> list[RecordRow]:
        """Seal each person's events and history entries under that person's key."""
        masks = []
        plain = []
        key_of = self._people.key
        for seq, share in enumerate(shares, first):
            first_part = share.parts[0]
            mask, events = first_part.mask, first_part.group.events
            if len(share.parts) == 1:
                trail = self._entries(mask, first_part.group)
            else:
                events = _joined(share.parts)
                trail = b"".join([self._entries(part.mask, part.group) for part in share.parts])
                for part in share.parts:
                    mask |= part.mask
            packed = _encode(events)
            work.bytes_kept += len(packed)
            masks.append(mask)
            plain.append((key_of(share.person), seq, packed, trail))
        sealed = self._vault.seal_records(plain)
        return [
            RecordRow(seq, key.person, work.now_ms, mask, *both)
            for (key, seq, _, _), mask, both in zip(plain, masks, sealed, strict=True)
        ]

    def _entries(self, mask: int, group: Group) -> bytes:
        """Return the packed history entries of a person's actions with items that have a number."""
        numbers = self._numbers.by_id
        purposes = act_of(0, mask)
        return b"".join(
            [
                _ENTRY(numbers[item], day if 0 <= day <= _LAST_DAY else min(max(day, 0), _LAST_DAY), code | purposes)
                for _, day, code, item in group.deeds
                if item in numbers
            ]
        )


def _joined(parts: Sequence[Part]) -> list[Event]:
    """Return the events of several groups in one list; where purposes differ, each event carries its own."""
    differ = len({part.mask for part in parts}) > 1
    events: list[Event] = []
    for part in parts:
        if differ:
            for event in part.group.events:
                event.purposes = part.mask
        events += part.group.events
    return events


def _without_repeats(group: Group, seen: set[bytes]) -> Group:
    """Return the events whose digest was not seen, in this batch or before; `seen` grows by theirs."""
    places = []
    for place, digest in enumerate(group.digests):
        if digest is None or digest not in seen:
            places.append(place)
        if digest is not None:
            seen.add(digest)
    return group if len(places) == len(group.events) else group.only(places)
