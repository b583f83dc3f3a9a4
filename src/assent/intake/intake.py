"""Events in: parsed where they arrive, taken in by the one writer, counted by what became of them."""

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

#: Longer bodies are read in a thread of the queue's own, so that whoever brings them need not wait.
INLINE_BYTES_MAX = 16_384


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
        """Hold the rooms below; `allow` says what is kept of events, where it is not the list that ships."""
        self._store = store
        self._keyed = vault.digest_event_id
        #: The purposes that events may be kept for.
        self.purposes = ledger.purposes
        #: What is kept of events.
        self.allow = AllowList.load() if allow is None else allow
        self._parser = Parser(self.allow, vault.digest_event_id, vault.clock.now_ms)
        self._taker = IntakeJob(vault, ledger, audit, learning, withdrawals)
        self._queue = BatchQueue(store, self._take)
        self._counts: Counter[str] = Counter()
        self._bytes_received = self._bytes_kept = 0
        self._counting = threading.Lock()

    def parse(self, body: bytes, *, kind: str | None = None, content_encoding: str | None = None) -> Batch:
        """Read a batch, or one call whose kind the path names (`track`, `t`, ...), whatever its content type.

        Gzip is recognised by its bytes. Raises `InvalidInput` for malformed JSON, text that is not UTF-8, nesting
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

    def take(self, batch: Batch, *, gpc: bool = False) -> Callable[[Session], TakenIn]:
        """Return the write job that takes one batch in; `gpc`: the request had `Sec-GPC: 1`."""
        return lambda session: self._take(session, [SentBatch(batch, gpc)])[0]

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
        if len(body) <= INLINE_BYTES_MAX:
            return self.submit(self.parse(body, kind=kind, content_encoding=content_encoding), gpc=gpc)
        read = partial(self.parse, body, kind=kind, content_encoding=content_encoding)
        return self._queue.submit_unread(read, len(body), gpc=gpc)

    def close(self) -> None:
        """Hand everything that was queued on to the store's writer."""
        self._queue.close()

    def shaper(self) -> Shaper:
        """Return what shapes calls into events for an import: the same allow-list, orders of any length."""
        return Shaper(self.allow, products_max=None)

    def digest(self, event: Event, message_id: str) -> bytes:
        """Return the 16 bytes by which an event is known when it comes again."""
        return digest_of(self._keyed, event, message_id)

    def take_stated(self, stated: Sequence[StatedGroup], evidence: str) -> Callable[[Session], Counter[str]]:
        """Return the write job that takes in events under consent that the operator stated; it counts their lines."""
        return lambda session: self._taker.take_stated(session, stated, evidence)

    def counts(self) -> dict[str, int]:
        """Return what became of events since the start: how many were `stored`, and dropped for each reason."""
        with self._counting:
            return dict(self._counts)

    def sizes(self) -> dict[str, int]:
        """Return since the start how much JSON was received, and how much of it was kept before sealing, in bytes."""
        with self._counting:
            return {"bytes_received": self._bytes_received, "bytes_kept": self._bytes_kept}

    def drop_person(self, person: PersonId) -> None:
        """Drop what is remembered of somebody who was erased, so that not even a name is left in memory."""
        self._store.write(lambda _: self._taker.drop_person(person))

    def _take(self, session: Session, batches: Sequence[SentBatch]) -> list[TakenIn]:
        taken, bytes_kept = self._taker.take(session, batches)
        bytes_received = sum(sent.batch.bytes_received for sent in batches)
        session.after_commit(lambda: self._count(taken, bytes_received, bytes_kept))
        return taken

    def _count(self, taken: Sequence[TakenIn], bytes_received: int, bytes_kept: int) -> None:
        with self._counting:
            for each in taken:
                self._counts["stored"] += each.stored
                self._counts.update(each.dropped)
            self._bytes_received += bytes_received
            self._bytes_kept += bytes_kept
