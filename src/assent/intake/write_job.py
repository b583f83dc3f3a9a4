"""The write job of one batch: who, whether they agreed, whether it is new; then one sealed record for each person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING

import msgspec

from assent.intake.batch_work import BatchWork, PersonShare, Tally
from assent.intake.consent_gate import ConsentGate
from assent.intake.dropped import Dropped
from assent.intake.item_numbers import ItemNumbers
from assent.intake.known_people import KnownPeople
from assent.intake.parse import context_of
from assent.intake.stated_consent import StatedConsents, StatedGroup
from assent.store.topics import meta, records
from assent.store.topics import seen_events as messages
from assent.store.topics.records import RecordRow
from assent.terms.clock import DAY_MS
from assent.vault import AuditLog

if TYPE_CHECKING:
    from assent.consent import Ledger, Signals
    from assent.intake.parse import Batch, ConsentText, Group
    from assent.intake.wire import Event
    from assent.learn import SumsKeeper
    from assent.store import Session
    from assent.terms.answers import TakenIn
    from assent.terms.clock import Clock
    from assent.terms.ids import PersonId
    from assent.terms.randomness import Randomness
    from assent.vault import Vault

#: One entry of a history: item number, day since 1970, action, purposes (the layout of `assent.vault.HISTORY`).
_ENTRY = Struct("<IHBB").pack
_encode = msgspec.msgpack.Encoder().encode
_DAY_MAX = 0xFFFF
#: How many people's loose trails are counted before all counts begin anew.
LOOSE_PEOPLE_MAX = 200_000
#: Trails that may lie loose until intake folds them itself: a training does it anyway, and a fold costs like thirty.
LOOSE_TRAILS_MAX = 64
#: How many different consent objects are remembered.
SIGNALS_MAX = 4_096
#: Longer ones are read anew each time.
SIGNAL_BYTES_MAX = 2_048


class IntakeJob:
    """Does the write jobs of intake, in the writer's thread, with what it remembers of people and items.

    Memory may be ahead of the store only inside a transaction. `failed` must be called when a job was not committed.
    """

    def __init__(
        self, vault: Vault, ledger: Ledger, learning: SumsKeeper, clock: Clock, randomness: Randomness
    ) -> None:
        """Start with empty memory."""
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._audit = AuditLog(vault)
        self._people = KnownPeople(vault, ledger, randomness)
        self._gate = ConsentGate(vault, ledger, learning, self._people)
        self._stated = StatedConsents(ledger, self._people, self._gate)
        self._numbers = ItemNumbers()
        #: Trails since a person's history was folded last, as far as this process knows.
        self._loose: dict[PersonId, int] = {}
        self._signals: dict[tuple[ConsentText, bool], Signals] = {}
        self._epoch = -1
        self._doubtful = False
        #: Jobs whose failure nobody would tell of, and that are not known to be durable yet.
        self._unconfirmed = 0

    def failed(self) -> None:
        """Distrust everything remembered: a job that added to it was undone."""
        self._doubtful = True

    def forget_people(self) -> None:
        """Drop every person from memory at once; in the writer's thread."""
        self._people.forget()

    def take(
        self, session: Session, batches: Sequence[tuple[Batch, bool]], *, watched: bool
    ) -> tuple[list[TakenIn], int]:
        """Take in batches inside a write job, each with whether its request had `Sec-GPC: 1`.

        Returns what became of each batch's events, and how many bytes are kept of all. `watched`: whoever runs the job
        calls `failed` when it is undone. If nobody does, nothing that it found out is believed before it is durable.
        """
        with self._trusting(session, watched=watched):
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

    def take_stated(self, session: Session, stated: Sequence[StatedGroup], evidence: str) -> Counter[str]:
        """Take in events under stated consent inside a write job; return what became of the lines that hold them."""
        with self._trusting(session, watched=False):
            work = BatchWork(self._clock.now_ms(), Tally(Counter()))
            seen, _ = self._repeats(session, [each.group for each in stated])
            table = self._stated.gather(session, stated, seen, evidence, work)
            self._write(session, work)
        return table

    @contextmanager
    def _trusting(self, session: Session, *, watched: bool) -> Iterator[None]:
        """Bring memory up to date before a job, and distrust it after one that fails."""
        if self._unconfirmed:
            self._doubtful, self._unconfirmed = True, 0
        if not watched:
            self._unconfirmed = 1
            session.after_commit(self._confirm)
        try:
            self._refresh(session)
            yield
        except BaseException:
            self.failed()
            raise

    def _confirm(self) -> None:
        self._unconfirmed = 0

    def _refresh(self, session: Session) -> None:
        """Forget people when consent, keys, suppression or erasure changed elsewhere, everything after a failure."""
        epoch = meta.epoch(session)
        if self._doubtful:
            self._numbers.forget()
        if self._doubtful or epoch != self._epoch:
            self._people.forget()
            self._epoch = epoch
        self._doubtful = False

    def _gather(self, session: Session, batch: Batch, seen: set[bytes] | None, work: BatchWork, *, gpc: bool) -> None:
        """Sort a batch's events into people's shares, as far as they are new and some purpose permits them."""
        for whole in batch.groups:
            group = whole
            if seen is not None:
                group = _without_repeats(whole, seen)
                work.tally.dropped["duplicate"] += len(whole.events) - len(group.events)
                if not group.events:
                    continue
            signals = self._signals.get((group.consent, gpc)) or self._read_signals(group.consent, gpc=gpc)
            known = self._people.known(group)
            if known is not None:
                self._gate.admit_known(session, group, known, signals, work)
                continue
            try:
                found = self._people.find(session, group)
            except Dropped as dropped:
                work.drop(dropped.reason, group)
                continue
            self._gate.admit(session, group, found, signals, work)

    def _repeats(self, session: Session, groups: Sequence[Group]) -> tuple[set[bytes], bool]:
        """Return the digests that the store has seen, and whether anything in the groups is there twice or was seen."""
        digests = [digest for group in groups for digest in group.digests if digest is not None]
        seen = messages.seen(session, digests)
        return seen, bool(seen) or len(set(digests)) < len(digests)

    def _read_signals(self, consent: ConsentText, *, gpc: bool) -> Signals:
        """Read what a group says about consent, and remember it by its text."""
        signals = self._ledger.signals_of(context_of(consent), gpc=gpc)
        if len(consent[0]) + len(consent[1]) <= SIGNAL_BYTES_MAX:
            if len(self._signals) >= SIGNALS_MAX:
                self._signals.clear()
            self._signals[consent, gpc] = signals
        return signals

    # -- writing -------------------------------------------------------------------------------------------------

    def _write(self, session: Session, work: BatchWork) -> None:
        """Seal and write what was gathered, and count what is stored of each batch."""
        shares = [share for share in work.shares.values() if share.parts]
        rows = work.moved
        if shares:
            groups = []
            for share in shares:
                for _, group, tally in share.parts:
                    tally.stored += len(group.events)
                    groups.append(group)
            self._number(session, groups, work.now_ms)
            first = meta.allocate(session, records.SEQUENCE, len(shares))
            rows += self._sealed(shares, first, work)
            messages.add_seen(session, [digest for group in groups for digest in group.digests if digest is not None])
        if rows:
            records.add_many(session, rows)
        self._fold(session, shares)
        if work.acts:
            self._audit.append_many(session, work.acts)
        if work.changed:
            self._epoch = meta.epoch(session)

    def _fold(self, session: Session, shares: Sequence[PersonShare]) -> None:
        """Fold the loose trails of those who have many by now, in case nobody trains: readers open each."""
        loose = self._loose
        if len(loose) > LOOSE_PEOPLE_MAX:
            loose.clear()
        for share in shares:
            person = share.known.person
            trails = loose.get(person, 0) + 1
            if trails > LOOSE_TRAILS_MAX:
                self._vault.fold_history(session, person, self._people.key(share.known))
                trails = 0
            loose[person] = trails

    def _number(self, session: Session, groups: Sequence[Group], now_ms: int) -> None:
        """Learn the numbers of the items that these groups name, and note when each was seen last."""
        day = max(group.newest_ms for group in groups) // DAY_MS
        known = self._numbers.seen_on(day)
        named = {deed[3] for group in groups for deed in group.deeds if deed[3] not in known}
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
        """Seal each person's events, and beside them their history entries, under that person's key."""
        masks = []
        plain = []
        key_of = self._people.key
        for seq, share in enumerate(shares, first):
            mask, group, _ = share.parts[0]
            if len(share.parts) == 1:
                events, trail = group.events, self._entries(mask, group)
            else:
                events = _joined(share.parts)
                trail = b"".join([self._entries(own, each) for own, each, _ in share.parts])
                for own, _, _ in share.parts:
                    mask |= own
            packed = _encode(events)
            work.bytes_kept += len(packed)
            masks.append(mask)
            plain.append((key_of(share.known), seq, packed, trail))
        sealed = self._vault.seal_records(plain)
        return [
            RecordRow(seq, key.person, work.now_ms, mask, *both)
            for (key, seq, _, _), mask, both in zip(plain, masks, sealed, strict=True)
        ]

    def _entries(self, mask: int, group: Group) -> bytes:
        """Return the packed history entries of what a person did with items that have a number."""
        numbers = self._numbers.by_id
        return b"".join(
            [
                _ENTRY(numbers[item], day if 0 <= day <= _DAY_MAX else min(max(day, 0), _DAY_MAX), code, mask)
                for _, day, code, item in group.deeds
                if item in numbers
            ]
        )


def _joined(parts: Sequence[tuple[int, Group, Tally]]) -> list[Event]:
    """Return the events of several groups in one list; where purposes differ, each event says its own."""
    differ = len({mask for mask, _, _ in parts}) > 1
    events: list[Event] = []
    for mask, group, _ in parts:
        if differ:
            for event in group.events:
                event.purposes = mask
        events += group.events
    return events


def _without_repeats(group: Group, seen: set[bytes]) -> Group:
    """Return the events whose message id was not seen, in this batch or before; `seen` grows by theirs."""
    places = []
    for place, digest in enumerate(group.digests):
        if digest is None or digest not in seen:
            places.append(place)
        if digest is not None:
            seen.add(digest)
    return group if len(places) == len(group.events) else group.only(places)
