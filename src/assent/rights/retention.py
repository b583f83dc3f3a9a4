"""Retention as the notices promise: old records lose their purposes, and expired consents are carried out."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from assent.store.topics import consents, decisions, meta, people, records
from assent.terms.clock import DAY_MS
from assent.terms.purposes import Personalize

if TYPE_CHECKING:
    from assent.rights.rooms import RightsRooms
    from assent.store import Session
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey


class Retention:
    """Removes data past its retention, person by person, each in a transaction of their own."""

    def __init__(self, rooms: RightsRooms) -> None:
        """Read the retention of each purpose from the notices."""
        self._store = rooms.store
        self._vault = rooms.vault
        self._ledger = rooms.ledger
        self._withdrawals = rooms.withdrawals
        purposes = rooms.ledger.purposes
        self._days = {purposes.bit(each.id): each.retention_days for each in purposes.all() if purposes.bit(each.id)}

    def sweep(self) -> int:
        """Remove the data that the notices no longer allow to keep; return the number of people it concerned.

        Safe to stop and to repeat: the next sweep finds what this one leaves.
        """
        now_ms = self._vault.clock.now_ms()
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
        """Write the consents that expired into the ledger, and carry them out as withdrawals."""
        key = self._key(session, person)
        if key is None:
            return False
        ended = {entry.purpose for entry in self._ledger.lapse(session, person)}
        self._withdrawals.carry_out(session, person, key, ended)
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
        """Return a person's key; None for a person who is being erased or is gone."""
        row = people.key(session, person)
        if row is None or people.state(session, person) != people.ACTIVE:
            return None
        return self._vault.key(person, *row)
