"""Erasure, step by step.

Every step is one transaction that also writes the progress of the erasure. A thread or process that continues after a
crash, or helps at the same time, begins there, and no step is done twice:

suppress   no permit from this moment: state `erasing`, identifiers suppressed, the epoch grows
journal    a line in the erase journal, durable, before anything is removed
subtract   the person's contribution leaves every sum
delete     rows, index entries and the key, in one transaction: nothing is ever left that could still be opened
drop       each process that helps drops the person from its memory: the hooks of `on_erased`
empty      side files are emptied; freed pages of the main file are overwritten when they are freed
search     every table, and the folder of models, is searched again; the findings become facts, and the log gets
           their digest
certify    certificate with the log's proof, signed
"""

from __future__ import annotations

import functools
import json
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assent.rights import certificates
from assent.rights.journal import ErasureJournal, JournalLine
from assent.store.topics import erasures, meta, people
from assent.store.topics.erasures import ErasureRow
from assent.terms.errors import Busy, Corrupt, NotFound
from assent.terms.ids import PersonId
from assent.terms.limits import limit
from assent.vault import Proven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assent.learn import SumsKeeper
    from assent.store import Session, Store
    from assent.terms.answers.people import Certificate
    from assent.vault import AuditLog, Vault

ERASURE_ID_BYTES = 16
REQUESTED = "erasure requested"

# The step that is done, as the store keeps it; a complete erasure has a certificate instead.
SUPPRESSED = "suppressed"
SUBTRACTED = "subtracted"
DELETED = "deleted"
SEARCHED = "searched"

#: The steps after which the person's rows are still there.
KEPT = frozenset({SUPPRESSED, SUBTRACTED})

#: An erasure tries so long to empty side files that a reader or another process uses; the first pause.
_WAIT_SECONDS = limit("erasure_wait_seconds")
PAUSE_SECONDS = 0.01


class Eraser:
    """Carries erasures through. It has no state of its own, so any number of threads and processes may help."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        audit: AuditLog,
        learning: SumsKeeper,
        journal: ErasureJournal,
        on_erased: Sequence[Callable[[PersonId], None]],
    ) -> None:
        """Call each of `on_erased` with every person whose rows and key are gone, before the last search."""
        self._store = store
        self._vault = vault
        self._audit = audit
        self._learning = learning
        self._clock = vault.clock
        self._randomness = vault.randomness
        self._journal = journal
        self._on_erased = on_erased
        self._emptying = threading.Lock()
        self._steps: dict[str, Callable[[ErasureRow], None]] = {
            SUPPRESSED: self._journal_and_subtract,
            SUBTRACTED: self._delete,
            DELETED: self._empty_and_search,
            SEARCHED: self._certify,
        }

    # -- beginning -----------------------------------------------------------------------------------------------

    def request(self, session: Session, blinds: Sequence[tuple[str, bytes]]) -> bytes | None:
        """Suppress a person inside a write job; return the erasure's id, or None when no person has these identifiers.

        A person who is being erased already gets the id of that erasure.
        """
        row = people.load(session, blinds)
        if row is None:
            return None
        begun = [each for each in erasures.of_person(session, row.person) if each.certificate is None]
        if begun:
            return begun[-1].erasure_id
        line = JournalLine(
            erasure=self._randomness.bytes(ERASURE_ID_BYTES),
            person=row.person,
            blinds=tuple(people.identifiers(session, row.person)),
            requested_ms=self._clock.now_ms(),
        )
        self._audit.append(session, REQUESTED, {"erasure": line.erasure.hex()}, row.person)
        self._suppress(session, line, repeated=False)
        return line.erasure

    def repeat(self, line: JournalLine, session: Session) -> None:
        """Begin the erasure of a journal line that this store does not have, inside a write job."""
        self._suppress(session, line, repeated=True)

    def _suppress(self, session: Session, line: JournalLine, *, repeated: bool) -> None:
        now_ms = self._clock.now_ms()
        people.set_state(session, line.person, people.ERASING)
        for kind, blind in line.blinds:
            people.suppress(session, kind, blind, now_ms)
        facts = {
            "identifiers_suppressed": len(line.blinds),
            "repeated_after_a_restore": repeated,
            "suppressed_ms": now_ms,
        }
        erasures.add(
            session,
            ErasureRow(line.erasure, line.person, SUPPRESSED, line.requested_ms, facts=json.dumps({"facts": facts})),
        )
        meta.bump_epoch(session)

    # -- going on ------------------------------------------------------------------------------------------------

    def run(self, erasure_id: bytes) -> Certificate:
        """Continue an erasure to its end, from its last step; return its certificate.

        Raises `NotFound` (no such erasure), `Busy` (readers hold up the emptying of side files), `StoreUnavailable`
        (the journal cannot be written), `Corrupt`; the person stays suppressed, and the next call goes on. So it does
        after a hook that raised.
        """
        hooks_called = False
        while True:
            with self._store.read() as session:
                row = erasures.get(session, erasure_id)
            if row is None:
                raise NotFound("No such erasure was ever begun here.")
            if not hooks_called and row.step not in KEPT:
                hooks_called = True
                for hook in self._on_erased:
                    hook(PersonId(row.person))
            if row.certificate is not None:
                return certificates.from_json(row.certificate)
            self._steps[row.step](row)

    def _advance(self, row: ErasureRow, done: str, work: Callable[[Session], dict[str, Any]]) -> None:
        """Do `work` and write the step and its facts, in one transaction; do nothing if another thread did it."""

        def job(session: Session) -> None:
            now = erasures.get(session, row.erasure_id)
            if now is None or now.step != row.step:
                return
            kept = json.loads(now.facts)
            kept["facts"].update(work(session))
            kept["facts"][f"{done}_ms"] = self._clock.now_ms()
            if done == SEARCHED:
                detail = {"erasure": row.erasure_id.hex(), "facts": certificates.facts_digest(kept["facts"])}
                kept["log"] = self._audit.append_proven(session, certificates.COMPLETED, detail).to_json()
            erasures.advance(session, row.erasure_id, done, json.dumps(kept))

        self._store.write(job)

    def _journal_and_subtract(self, row: ErasureRow) -> None:
        """Write the journal's line, then take the person out of every sum."""
        with self._store.read() as session:
            now = erasures.get(session, row.erasure_id)
            blinds = tuple(people.identifiers(session, row.person))
        if now is None or now.step != SUPPRESSED:
            return
        if not json.loads(row.facts)["facts"]["repeated_after_a_restore"]:
            self._journal.add(JournalLine(row.erasure_id, row.person, blinds, row.requested_ms))
        self._advance(row, SUBTRACTED, functools.partial(self._subtract, PersonId(row.person)))

    def _subtract(self, person: PersonId, session: Session) -> dict[str, Any]:
        wrapped = people.key(session, person)
        if wrapped is None:
            if people.state(session, person) is not None:
                raise Corrupt(
                    "A person's key is missing, so what they added to the sums cannot be opened.",
                    advice="Restore the person's key from a backup, then ask again.",
                )
            return {"models": {}}
        forgotten = self._learning.forget_person(session, person, self._vault.key(person, *wrapped))
        return {"models": {model: asdict(each) for model, each in forgotten.items()}}

    def _delete(self, row: ErasureRow) -> None:
        """Delete every row, and the key."""
        person = PersonId(row.person)

        def work(session: Session) -> dict[str, Any]:
            counts = people.delete(session, person)
            meta.bump_epoch(session)
            meta.bump_erasures(session)
            session.after_commit(functools.partial(self._vault.drop_key, person))
            return {"rows_deleted": {table: count for table, count in counts.items() if count}, "key": "destroyed"}

        self._advance(row, DELETED, work)

    def _empty_and_search(self, row: ErasureRow) -> None:
        """Empty side files, then search every table again; rows that are found are deleted and counted."""
        self._vault.drop_key(PersonId(row.person))
        self._empty()
        # The subtraction removed them; but its process may have died right after it.
        model_files = self._learning.retire_files()

        def work(session: Session) -> dict[str, Any]:
            found = people.traces(session, row.person)
            left = sum(found.values())
            if left:
                people.delete(session, row.person)
            return {
                "rows_found_afterwards": left,
                "tables_searched": sorted(found),
                "model_files_found_afterwards": model_files,
            }

        self._advance(row, SEARCHED, work)

    def _empty(self) -> None:
        """Empty side files; a reader or another process may delay it. Raises `Busy`."""
        give_up = time.monotonic() + _WAIT_SECONDS
        pause_seconds = PAUSE_SECONDS
        with self._emptying:
            while True:
                try:
                    return self._store.checkpoint()
                except Busy as error:
                    if time.monotonic() >= give_up:
                        raise Busy(
                            "Readers hold up the end of an erasure; the rows are deleted, the key is destroyed.",
                            advice="Ask for the same erasure again in a minute: it goes on.",
                        ) from error
                time.sleep(pause_seconds)
                pause_seconds *= 2

    def _certify(self, row: ErasureRow) -> None:
        """Sign the certificate over the facts and the log's proof, and close the erasure."""
        kept = json.loads(row.facts)
        made = certificates.make_certificate(self._vault, row, kept["facts"], Proven.from_json(kept["log"]))
        text, now_ms = certificates.to_json(made), self._clock.now_ms()
        self._store.write(lambda session: erasures.complete(session, row.erasure_id, now_ms, text))
