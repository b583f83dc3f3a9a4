"""Keeping no longer than the notices say: old records lose their purposes, consents that ran out are followed up."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from assent.store.topics import consents, decisions, meta, people, records
from assent.terms.clock import DAY_MS
from assent.terms.purposes import TAGS, Learn, Personalize

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn import SumsKeeper
    from assent.store import Session, Store
    from assent.terms.clock import Clock
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey, Vault


class Retention:
    """Sweeps out what is past its time, person by person, each in a transaction of their own."""

    def __init__(self, store: Store, vault: Vault, ledger: Ledger, learning: SumsKeeper, clock: Clock) -> None:
        """Hold the rooms below."""
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._learning = learning
        self._clock = clock
        self._days = {tag.bit: ledger.purposes.get(tag.id).retention_days for tag in TAGS.values() if tag.bit}

    def sweep(self) -> int:
        """Take out whatever the notices no longer allow to keep; return how many people were touched.

        Safe to stop and to repeat: what one sweep leaves, the next one finds.
        """
        now_ms = self._clock.now_ms()
        touched = 0
        with self._store.read() as session:
            ended = consents.run_out(session, now_ms)
        for person in ended:
            touched += self._store.write(functools.partial(self._follow_up, person=person))
        oldest_ms = now_ms - min(self._days.values()) * DAY_MS
        after = b""
        while page := self._people_before(oldest_ms, after):
            after = page[-1]
            for person in page:
                touched += self._store.write(functools.partial(self._strip_old, person=person, now_ms=now_ms))
        shown_ms = now_ms - self._days[Personalize.bit] * DAY_MS
        self._store.write(lambda session: decisions.drop_before(session, shown_ms))
        return touched

    def _people_before(self, at_ms: int, after: bytes) -> list[PersonId]:
        with self._store.read() as session:
            return records.people_before(session, at_ms, after)

    def _follow_up(self, session: Session, *, person: PersonId) -> bool:
        """Write down the consents that ended, and take out what was kept for them, as a withdrawal would."""
        key = self._key(session, person)
        if key is None:
            return False
        ended = {entry.purpose for entry in self._ledger.lapse(session, person)}
        for purpose in ended & TAGS.keys():
            if purpose == Learn.id:
                self._learning.forget_person(session, person, key)
            self._vault.strip(session, person, key, TAGS[purpose].bit)
        return bool(ended)

    def _strip_old(self, session: Session, *, person: PersonId, now_ms: int) -> bool:
        key = self._key(session, person)

        def expired(at_ms: int) -> int:
            return sum(bit for bit, days in self._days.items() if at_ms < now_ms - days * DAY_MS)

        if key is None or not self._vault.strip_old(session, key, expired):
            return False
        meta.bump_epoch(session)
        return True

    def _key(self, session: Session, person: PersonId) -> PersonKey | None:
        """Return a person's key; None for somebody who is being erased or is gone."""
        row = people.key(session, person)
        if row is None or people.state(session, person) != people.ACTIVE:
            return None
        return self._vault.key(person, *row)
