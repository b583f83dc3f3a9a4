"""The intake of events: it parses bodies, has the store's one writer take them in, and counts the outcomes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from assent.intake.allow import AllowList
from assent.intake.parse import Batch, Parser, body_of, digest_of, write_key_of
from assent.intake.queue import BatchQueue, SentBatch
from assent.intake.shape import Shaper
from assent.intake.stated_consent import StatedGroup
from assent.intake.wire import Event
from assent.intake.write_job import IntakeJob

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn import SumsKeeper, Withdrawals
    from assent.store import Session, Store
    from assent.terms.answers.events import TakenIn
    from assent.terms.ids import PersonId
    from assent.vault import AuditLog, Vault

#: Longer bodies are read in the queue's own thread, so that the sender does not wait for the reading.
INLINE_BYTES = 16_384


class Intake:
    """Takes in Segment's calls under the consent they carry and the ledger holds. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        audit: AuditLog,
        learning: SumsKeeper,
        withdrawals: Withdrawals,
        *,
        allow: AllowList | None = None,
    ) -> None:
        """Take in for the rooms below; `allow` replaces the allow-list that ships."""
        self._store = store
        self._keyed = vault.digest_event_id
        #: The purposes of the ledger, which events are kept for.
        self.purposes = ledger.purposes
        #: The fields of events that are kept.
        self.allow = AllowList.load() if allow is None else allow
        self._parser = Parser(self.allow, vault.digest_event_id, vault.clock.now_ms)
        self._job = IntakeJob(vault, ledger, audit, learning, withdrawals)
        self._queue = BatchQueue(store, self._take_in)
        self._counts: Counter[str] = Counter()
        self._bytes_received = self._bytes_kept = 0
        self._counting = threading.Lock()

    def parse(self, body: bytes, *, kind: str | None = None, content_encoding: str | None = None) -> Batch:
        """Read a batch, or one call whose kind the path names (`track`, `t`, ...), of any content type.

        Gzip is recognized by its bytes. Raises `InvalidInput` for malformed JSON, text that is not UTF-8, nesting
        too deep and a lone call that cannot be taken in, `TooLarge` for a body, a lone event or a batch over its limit.
        Bad events inside a batch are dropped and counted.
        """
        return self._parser.parse(body, kind=kind, content_encoding=content_encoding)

    def body_of(self, events: Sequence[Mapping[str, Any]]) -> bytes:
        """Write events as the body of a batch; raises `InvalidInput` for values that JSON does not have."""
        return body_of(events)

    def write_key_of(self, body: bytes, content_encoding: str | None = None) -> str | None:
        """Return the `writeKey` that a body carries, None when it carries none or cannot be read."""
        return write_key_of(body, content_encoding)

    def job(self, batch: Batch, *, gpc: bool = False) -> Callable[[Session], TakenIn]:
        """Return the write job that takes one batch in; `gpc`: the request had `Sec-GPC: 1`."""
        return lambda session: self._take_in(session, [SentBatch(batch, gpc)])[0]

    def submit(self, batch: Batch, *, gpc: bool = False) -> Future[TakenIn]:
        """Queue a batch; the future resolves once it is durable. Raises `Busy` while too many batches wait.

        Batches that wait at the same moment are taken in by one job: each person's events are sealed once, not once for
        each batch. If that job fails, each of its batches is tried alone.
        """
        return self._queue.submit(batch, gpc=gpc)

    def submit_body(
        self, body: bytes, *, kind: str | None = None, content_encoding: str | None = None, gpc: bool = False
    ) -> Future[TakenIn]:
        """Read a body and queue its batch: `parse` and `submit` in one.

        A long body is read in a thread that reads one at a time; then what `parse` raises comes from the future.
        """
        if len(body) <= INLINE_BYTES:
            return self.submit(self.parse(body, kind=kind, content_encoding=content_encoding), gpc=gpc)
        read = partial(self.parse, body, kind=kind, content_encoding=content_encoding)
        return self._queue.submit_unread(read, len(body), gpc=gpc)

    def close(self) -> None:
        """Hand everything that was queued on to the store's writer."""
        self._queue.close()

    def shaper(self) -> Shaper:
        """Return the shaper of an import: it has the same allow-list and takes orders of any length."""
        return Shaper(self.allow, products_max=None)

    def digest(self, event: Event, event_id: str) -> bytes:
        """Return the 16 bytes that identify an event when it is sent again."""
        return digest_of(self._keyed, event, event_id)

    def stated_job(self, stated: Sequence[StatedGroup], evidence: str) -> Callable[[Session], Counter[str]]:
        """Return the write job that takes in events under consent that the operator stated; it counts their lines."""
        return lambda session: self._job.take_in_stated(session, stated, evidence)

    def counts(self) -> dict[str, int]:
        """Return the outcomes of events since the start: the number `stored`, and dropped for each reason."""
        with self._counting:
            return dict(self._counts)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of JSON received since the start, and the bytes kept of it, before sealing."""
        with self._counting:
            return {"bytes_received": self._bytes_received, "bytes_kept": self._bytes_kept}

    def drop_person(self, person: PersonId) -> None:
        """Drop an erased person from memory, with all of their names."""
        self._store.write(lambda _: self._job.drop_person(person))

    def _take_in(self, session: Session, batches: Sequence[SentBatch]) -> list[TakenIn]:
        answers, bytes_kept = self._job.take_in(session, batches)
        bytes_received = sum(sent.batch.bytes_received for sent in batches)
        session.after_commit(lambda: self._count(answers, bytes_received, bytes_kept))
        return answers

    def _count(self, answers: Sequence[TakenIn], bytes_received: int, bytes_kept: int) -> None:
        with self._counting:
            for each in answers:
                self._counts["stored"] += each.stored
                self._counts.update(each.dropped)
            self._bytes_received += bytes_received
            self._bytes_kept += bytes_kept
