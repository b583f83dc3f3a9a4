"""The rights of a person: see the consents, export all data, be erased with proof."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from assent.rights import certificates
from assent.rights.erasure import Eraser
from assent.rights.export import Exporter
from assent.rights.journal import ErasureJournal
from assent.store.topics import erasures, people
from assent.terms.errors import NotFound
from assent.terms.ids import identifiers_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assent.rights.rooms import RightsRooms
    from assent.store import Session
    from assent.store.topics.people import PersonRow
    from assent.terms.answers.people import Certificate, Consents, Export
    from assent.terms.answers.proofs import Verification
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey

EXPORTED = "export"


class Rights:
    """Exports, erases, and finishes erasures when a store is opened. Safe to use from several threads."""

    def __init__(self, rooms: RightsRooms) -> None:
        """Open the erase journal at the vault's path, apart from the data."""
        #: Hooks of other rooms: each drops a person from a cache, or cancels messages. They are called when the rows
        #: and the key are gone, before the certificate, also for erasures resumed at opening; after a crash, again.
        self.on_erased: list[Callable[[PersonId], None]] = []
        self._store = rooms.store
        self._vault = rooms.vault
        self._audit = rooms.audit
        self._journal = ErasureJournal(rooms.vault.journal_path)
        self._eraser = Eraser(rooms.store, rooms.vault, rooms.audit, rooms.learning, self._journal, self.on_erased)
        self._exporter = Exporter(rooms.vault, rooms.ledger, rooms.audit, rooms.controller)

    # -- seeing --------------------------------------------------------------------------------------------------

    def consents(self, name: str) -> Consents:
        """Return a person's consent, purpose by purpose, and every ledger entry behind it; raises `NotFound`."""
        with self._store.read() as session:
            row = people.load(session, self._vault.blinds(identifiers_named(name)))
            if row is None:
                raise _nobody()
            return self._exporter.consents(session, row.person)

    def export(self, name: str) -> Export:
        """Return all data of a person; the log notes the export.

        Raises `NotFound` for an unknown name, and for a person who is being erased.
        """
        named_by = identifiers_named(name)
        blinds = self._vault.blinds(named_by)

        def note(session: Session) -> None:
            row, _ = self._open(session, blinds)
            self._audit.append(session, EXPORTED, {}, row.person)

        self._store.write(note)
        with self._store.read() as session:
            row, key = self._open(session, blinds)
            return self._exporter.collect(session, row.person, key, named_by)

    def _open(self, session: Session, blinds: Sequence[tuple[str, bytes]]) -> tuple[PersonRow, PersonKey]:
        """Return the row and key of an active person; raises `NotFound`."""
        row = people.load(session, blinds)
        if row is None or row.state != people.ACTIVE or row.wrapped is None or row.key_id is None:
            raise _nobody()
        return row, self._vault.key(row.person, row.wrapped, row.key_id)

    # -- erasing -------------------------------------------------------------------------------------------------

    def erase(self, name: str) -> Certificate:
        """Erase a person everywhere and return the signed certificate.

        A person who is being erased already, or was erased and did not come back, gets the certificate of that erasure.
        Raises `NotFound` for an unknown name, and the errors of `Eraser.run`.
        """
        blinds = self._vault.blinds(identifiers_named(name))
        erasure_id = self._store.write(lambda session: self._eraser.request(session, blinds))
        if erasure_id is None:
            erasure_id = self._earlier(blinds)
        return self._eraser.run(erasure_id)

    def _earlier(self, blinds: Sequence[tuple[str, bytes]]) -> bytes:
        """Return the erasure that suppressed one of these identifiers; raises `NotFound`."""
        with self._store.read() as session:
            suppressed = [each for each in blinds if people.suppressed(session, [each])]
        erasure_id = self._journal.erasure_of(suppressed) if suppressed else None
        if erasure_id is None:
            raise _nobody()
        return erasure_id

    def resume_all(self) -> list[Certificate]:
        """Carry every interrupted erasure to its end; call it when a store is opened, before it serves."""
        with self._store.read() as session:
            waiting = erasures.open_ones(session)
        return [self._eraser.run(row.erasure_id) for row in waiting]

    def replay_journal(self) -> list[Certificate]:
        """Erase again every person of the journal whose erasure this store does not have: a backup was restored.

        Call it when a store is opened, before it serves. Raises `Corrupt` when the journal cannot be read.
        """
        lines = self._journal.lines()
        with self._store.read() as session:
            known = {row.erasure_id for row in erasures.all(session)} if lines else set()
        unknown = [line for line in lines if line.erasure not in known]
        for line in unknown:
            self._store.write(functools.partial(self._eraser.repeat, line))
        return [self._eraser.run(line.erasure) for line in unknown]

    def verify_certificate(self, certificate: Mapping[str, Any]) -> Verification:
        """Check a certificate: signature, facts, log proof, the log's entry, and that the person is not back."""
        return certificates.verify(self._store, self._vault, certificate)


def _nobody() -> NotFound:
    return NotFound("Nobody is known by that name.")
