"""The importer of files: events, items and the shape of UCI Online Retail; an import can be stopped and repeated."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assent.catalog import row_of
from assent.intake.drops import DroppedEvent
from assent.intake.files.consent_column import Named, Statement, agreed_to, consent_texts_of, read_statement
from assent.intake.files.events_and_items import event_blocks, item_blocks, properties_of
from assent.intake.files.frames import Source, open_source
from assent.intake.files.online_retail import CURRENCY, Order, Retail, orders_of, read_retail
from assent.intake.parse import NO_CONSENT_TEXT, Group
from assent.intake.shape import Shaper, clean_id
from assent.intake.stated_consent import StatedGroup
from assent.intake.wire import Event
from assent.store.topics import imports, items
from assent.terms.answers.imports import Imported
from assent.terms.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from assent.intake.intake import Intake
    from assent.store import Session, Store
    from assent.terms.clock import Clock

Progress = Callable[[int, int], None]

SHAPES = ("events", "items", "online-retail")
#: The people of one write job: few enough that other writers wait only for moments.
PEOPLE_PER_JOB = 250
#: The least time between two reports of progress.
PROGRESS_SECONDS = 0.2


@dataclass(slots=True)
class _ImportJournal:
    """The progress of one import and the outcomes of its lines, written in the transactions that do the work."""

    store: Store
    import_id: str
    all_lines: int
    report: Progress | None
    position: int = 0
    table: Counter[str] = field(default_factory=Counter)
    finished: bool = False
    reported_at: float = 0.0

    @classmethod
    def open(cls, store: Store, source: Source, how: Sequence[str], report: Progress | None) -> _ImportJournal:
        """Read the progress of an earlier import of the same file in the same way."""
        import_id = hashlib.sha256("\x00".join((source.digest, *how)).encode()).hexdigest()
        journal = cls(store, import_id, source.lines, report)
        with store.read() as session:
            progress = imports.progress(session, import_id)
        if progress is not None:
            journal.position = progress[0]
            kept = json.loads(progress[1])
            journal.table, journal.finished = Counter(kept["table"]), kept["finished"]
        return journal

    def step(self, position: int, work: Callable[[Session], Mapping[str, int]]) -> None:
        """Do one piece of work and write its progress, in one transaction; raises `Conflict`."""

        def job(session: Session) -> Counter[str]:
            progress = imports.progress(session, self.import_id)
            if (0 if progress is None else progress[0]) != self.position:
                raise Conflict("The same file is being imported by somebody else.", advice="Wait until that has ended.")
            table = self.table + Counter(work(session))
            self._note(session, position, table, finished=False)
            return table

        self.table = self.store.write(job)
        self.position = position
        self._report()

    def finish(self) -> None:
        """Write that the import is complete."""
        if not self.finished:
            self.store.write(lambda session: self._note(session, self.position, self.table, finished=True))
            self.finished = True
        self._report(last=True)

    def _note(self, session: Session, position: int, table: Counter[str], *, finished: bool) -> None:
        kept = json.dumps({"table": dict(table), "finished": finished}, sort_keys=True)
        imports.advance(session, self.import_id, position, kept)

    def _report(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self.report is not None and (last or now - self.reported_at >= PROGRESS_SECONDS):
            self.reported_at = now
            done = self.table.total()
            self.report(done, done if last else max(self.all_lines, done))


class Importer:
    """Imports files. An interrupted import continues where it stopped; a complete one is not repeated."""

    def __init__(self, store: Store, intake: Intake, clock: Clock) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock

    def run(
        self,
        shape: str,
        path: Path,
        *,
        grant: Sequence[str] = (),
        evidence: str | None = None,
        consent_column: str | None = None,
        progress: Progress | None = None,
    ) -> Imported:
        """Import a file of shape `events`, `items` or `online-retail`; raises as the act of that shape does."""
        if shape == "items":
            return self.import_items(path, progress=progress)
        if shape not in SHAPES:
            raise InvalidInput("That is no shape of file that is imported.", advice=f"Use one of: {', '.join(SHAPES)}.")
        act = self.import_events if shape == "events" else self.import_online_retail
        return act(path, grant=grant, evidence=evidence, consent_column=consent_column, progress=progress)

    # -- items ---------------------------------------------------------------------------------------------------

    def import_items(self, path: Path, *, progress: Progress | None = None) -> Imported:
        """Put the items of a CSV, Parquet or NDJSON file into the catalog; lines that are not items are `bad`.

        Raises `NotFound` without a file, `InvalidInput` for one that is not of these kinds or has no id and name.
        """
        started = time.perf_counter()
        source = open_source(path)
        journal = _ImportJournal.open(self._store, source, ("items",), progress)
        if not journal.finished:
            now_ms = self._clock.now_ms()
            for found, bad, after in item_blocks(source, journal.position):
                rows = [row_of(item, now_ms, now_ms) for item in found]

                def put(session: Session, rows: Sequence[items.ItemRow] = rows, bad: int = bad) -> dict[str, int]:
                    items.put_many(session, rows)
                    return {"imported": len(rows), "bad": bad}

                journal.step(after, put)
        return _answer(journal, started, ("imported", "bad"))

    # -- events --------------------------------------------------------------------------------------------------

    def import_events(
        self,
        path: Path,
        *,
        mapping: Mapping[str, str] | None = None,
        grant: Sequence[str] = (),
        evidence: str | None = None,
        consent_column: str | None = None,
        progress: Progress | None = None,
    ) -> Imported:
        """Take in a CSV, Parquet or NDJSON file in which each line is one event, under consent that is stated.

        `mapping` gives the column of a part (`EVENT_COLUMNS`) where the names differ. Old times are not changed.
        Raises `InvalidInput` when no consent is stated or a column is missing, `UnknownPurpose`.
        """
        started = time.perf_counter()
        source = open_source(path)
        statement = read_statement(self._intake.purposes, grant, evidence, consent_column, source.digest)
        named = json.dumps(dict(sorted((mapping or {}).items())))
        journal = _ImportJournal.open(self._store, source, ("events", named, *_how(statement)), progress)
        if not journal.finished:
            agreed = agreed_to(self._intake.purposes, statement)
            now_ms = self._clock.now_ms()
            texts_by_person: dict[Named, list[str | None]] = {}
            if consent_column is not None:
                for rows in event_blocks(source, mapping, consent_column, now_ms):
                    ready = rows.frame.filter(rows.frame["outcome"] == "ready")
                    for person, texts in consent_texts_of(ready, ["person"]).items():
                        texts_by_person.setdefault(person, []).extend(texts)
            purposes = {person: agreed(texts) for person, texts in texts_by_person.items()}
            for rows in event_blocks(source, mapping, consent_column, now_ms, journal.position):
                counts = Counter(dict(rows.frame.group_by("outcome").len().iter_rows()))
                del counts["ready"]
                counts["bad"] += rows.unreadable
                stated, bad = self._events_of(rows.frame, lambda person: purposes.get(person, statement.purposes))
                counts["bad"] += bad
                take = self._intake.stated_job(stated, statement.evidence)
                journal.step(rows.after, functools.partial(_counted, take=take, counts=counts))
        return _answer(journal, started, ("imported", "guest", "bad"))

    def _events_of(self, frame: Any, purposes_of: Callable[[Named], frozenset[str]]) -> tuple[list[StatedGroup], int]:
        """Return the ready rows as events, person by person, and the number of bad rows among them."""
        ready = frame.filter(frame["outcome"] == "ready").sort("user", "anonymous", "at_ms", maintain_order=True)
        shaper = self._intake.shaper()
        people: dict[tuple[str | None, ...], StatedGroup] = {}
        bad = 0
        for row in ready.iter_rows(named=True):
            person = (row["user"], row["anonymous"])
            try:
                event = Event("track", row["at_ms"], None, clean_id(row["user"]), clean_id(row["anonymous"]))
                code, ids = shaper.track_values(event, row["event"], properties_of(row))
            except DroppedEvent:
                bad += 1
                continue
            unique = row["message"] or "\x00".join(
                ("import", *(str(row[name]) for name in ("event", "item", "order", "quantity", "at_ms")))
            )
            stated = people.get(person)
            if stated is None:
                group = Group(event.user_id, event.anonymous_id, None, None, NO_CONSENT_TEXT)
                stated = people[person] = StatedGroup(group, [], purposes_of((row["person"],)))
            stated.group.add(event, self._intake.digest(event, unique), code, ids)
            stated.lines.append(1)
        return list(people.values()), bad

    # -- online retail -------------------------------------------------------------------------------------------

    def import_online_retail(
        self,
        path: Path,
        *,
        grant: Sequence[str] = (),
        evidence: str | None = None,
        consent_column: str | None = None,
        progress: Progress | None = None,
    ) -> Imported:
        """Take in a file of the shape of UCI Online Retail: goods as items, orders of known customers as events.

        Each invoice becomes one `Order Completed` at its own time. Raises as `import_events`.
        """
        started = time.perf_counter()
        source = open_source(path)
        statement = read_statement(self._intake.purposes, grant, evidence, consent_column, source.digest)
        journal = _ImportJournal.open(self._store, source, ("online-retail", *_how(statement)), progress)
        if not journal.finished:
            retail = read_retail(source, consent_column)
            agreed = agreed_to(self._intake.purposes, statement)
            if journal.position == 0:
                journal.step(1, lambda session: self._put_goods(session, retail))
            for position, stated in self._customers(retail, agreed, journal.position):
                journal.step(position, self._intake.stated_job(stated, statement.evidence))
        return _answer(journal, started, ("imported", "guest", "cancelled", "not_goods", "bad"))

    def _put_goods(self, session: Session, retail: Retail) -> dict[str, int]:
        """Put the goods into the catalog; count the lines that are not orders of known customers."""
        now_ms = self._clock.now_ms()
        items.put_many(session, [row_of(item, now_ms, now_ms) for item in retail.items])
        return {outcome: lines for outcome, lines in retail.table.items() if outcome != "imported"}

    def _customers(
        self, retail: Retail, agreed: Callable[[Sequence[str | None]], frozenset[str]], done: int
    ) -> Iterator[tuple[int, list[StatedGroup]]]:
        """Yield customers with all their orders, some hundred at a time, and the position after them."""
        shaper = self._intake.shaper()
        people: dict[str, StatedGroup] = {}
        position = 1
        for order in orders_of(retail.orders):
            if order.customer not in people:
                if len(people) == PEOPLE_PER_JOB:
                    position += 1
                    if position > done:
                        yield position, list(people.values())
                    people = {}
                group = Group(order.customer, None, None, None, NO_CONSENT_TEXT)
                people[order.customer] = StatedGroup(group, [], agreed(retail.consent_texts[order.customer,]))
            if position + 1 > done:
                self._add_order(people[order.customer].group, shaper, order)
                people[order.customer].lines.append(order.lines)
        if people and position + 1 > done:
            yield position + 1, list(people.values())

    def _add_order(self, group: Group, shaper: Shaper, order: Order) -> None:
        """Add one invoice to a customer's events."""
        event = Event("track", order.at_ms, None, order.customer)
        properties = {
            "order_id": order.invoice,
            "total": order.total,
            "currency": CURRENCY,
            "products": order.products,
        }
        code, ids = shaper.track_values(event, "Order Completed", properties)
        group.add(event, self._intake.digest(event, f"import invoice {order.invoice}"), code, ids)


def _how(statement: Statement) -> tuple[str, ...]:
    """Return the parts of an import's id that depend on the stated consent."""
    return (",".join(sorted(statement.purposes)), statement.column or "")


def _answer(journal: _ImportJournal, started: float, always: Sequence[str]) -> Imported:
    """Close an import and return the outcome of every line."""
    journal.finish()
    table = {name: journal.table[name] for name in dict.fromkeys((*always, *sorted(journal.table)))}
    return Imported(table, journal.table.total(), round(time.perf_counter() - started, 3))


def _counted(session: Session, *, take: Callable[[Session], Counter[str]], counts: Counter[str]) -> Counter[str]:
    """Take events in, and add the outcomes of their lines to those of the other lines."""
    return counts + take(session)
