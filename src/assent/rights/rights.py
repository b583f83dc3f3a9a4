"""The rights of a person: see what is agreed, carry everything away, be erased with proof."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from assent.rights import certificates
from assent.rights.erasing import Eraser
from assent.rights.exporting import Exporter
from assent.rights.journal import ErasureJournal
from assent.store.topics import erasures, people
from assent.terms.errors import NotFound
from assent.terms.ids import identifiers_named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from assent.consent import Controller, Ledger
    from assent.learn import SumsKeeper
    from assent.store import Session, Store
    from assent.store.topics.people import PersonRow
    from assent.terms.answers import Certificate, Verification
    from assent.terms.clock import Clock
    from assent.terms.ids import PersonId
    from assent.terms.randomness import Randomness
    from assent.vault import AuditLog, PersonKey, Vault

EXPORTED = "export"


class Rights:
    """Export, erase, and what must be done when a store is opened. Safe to use from several threads."""

    def __init__(  # noqa: PLR0917 - one collaborator a room
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        audit: AuditLog,
        learning: SumsKeeper,
        controller: Controller,
        clock: Clock,
        randomness: Randomness,
        journal_path: Path,
    ) -> None:
        """Hold the rooms below; the erase journal stands at `journal_path`, apart from the data."""
        self._store = store
        self._vault = vault
        self._audit = audit
        self._journal = ErasureJournal(journal_path)
        self._eraser = Eraser(store, vault, audit, learning, clock, randomness, self._journal)
        self._exporter = Exporter(vault, ledger, audit, controller, clock)

    # -- seeing --------------------------------------------------------------------------------------------------

    def consents(self, session: Session, person: PersonId) -> dict[str, Any]:
        """Return what a person agreed to, purpose by purpose, and every ledger entry behind it, JSON-ready."""
        return self._exporter.consents(session, person)

    def export(self, name: str) -> dict[str, Any]:
        """Return everything held on a person, JSON-ready; the log notes that it was carried away.

        Raises `NotFound` when nobody is known by that name, or they are being erased.
        """
        asked = identifiers_named(name)
        blinds = self._vault.blinds(asked)

        def note(session: Session) -> None:
            row, _ = self._open(session, blinds)
            self._audit.append(session, EXPORTED, {}, row.person)

        self._store.write(note)
        with self._store.read() as session:
            row, key = self._open(session, blinds)
            return self._exporter.collect(session, row.person, key, asked)

    def _open(self, session: Session, blinds: Sequence[tuple[str, bytes]]) -> tuple[PersonRow, PersonKey]:
        """Find somebody whose records may be opened; raises `NotFound`."""
        row = people.load(session, blinds)
        if row is None or row.state != people.ACTIVE or row.wrapped is None or row.key_id is None:
            raise _nobody()
        return row, self._vault.key(row.person, row.wrapped, row.key_id)

    # -- erasing -------------------------------------------------------------------------------------------------

    def erase(self, name: str) -> Certificate:
        """Erase a person everywhere and return the signed certificate.

        Somebody who is being erased already, or was erased and did not come back, gets the certificate of that erasure.
        Raises `NotFound` when nobody is known by that name, and what `Eraser.run` raises.
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
        """Carry every erasure that was interrupted to its end; call it when a store is opened, before it serves."""
        with self._store.read() as session:
            waiting = erasures.open_ones(session)
        return [self._eraser.run(row.erasure_id) for row in waiting]

    def replay_journal(self) -> list[Certificate]:
        """Erase again everybody of whose erasure this store knows nothing: it was restored from an older backup.

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
        """Check a certificate: signature, facts, log proof, that the log has it still, that the person is not back."""
        return certificates.verify(self._store, self._vault, certificate)


def _nobody() -> NotFound:
    message = "Nobody is known by that name."
    return NotFound(message)
