"""The façade: builds the house from settings, and offers every act under the name that all surfaces use."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from assent.catalog import Catalog
from assent.consent import Controller, Ledger, Purposes
from assent.decide import Decider, Recorder, ask
from assent.engine import counting
from assent.engine.opening import open_house
from assent.engine.roles import ROLES
from assent.intake import Intake
from assent.learn import SumsKeeper
from assent.rights import Choice, Choices, Retention, Rights
from assent.store import Store
from assent.store.topics import api_keys, people
from assent.terms.answers import Certificate, Check, Decision, Imported, Suggestion, TakenIn, TrainReport, Verification
from assent.terms.clock import Clock, SystemClock
from assent.terms.errors import AssentError, InvalidInput, NotFound
from assent.terms.ids import identifiers_named
from assent.terms.randomness import Randomness, SystemRandomness
from assent.terms.settings import Settings
from assent.vault import AuditLog, Vault, digest_api_key

if TYPE_CHECKING:
    from types import TracebackType

    from assent.decide import Answer, Ask, Later
    from assent.store import Session


class Engine:
    """One open shop: events in, decisions out, rights kept. Safe to use from several threads.

    A person is named by any of their identifiers: `"user_id:17"`, `"email:ann@example.org"`, or bare `"17"`.
    """

    def __init__(self, store: Store, vault: Vault, settings: Settings, clock: Clock, randomness: Randomness) -> None:
        """Build every room on an open store; use `Engine.open`."""
        #: Where the key file of this store is.
        self.key_path = Path()
        self._store = store
        self._vault = vault
        self._clock = clock
        self._randomness = randomness
        self._acts: Counter[str] = Counter()
        self._roles: dict[str, str] = {}
        self._counting = threading.Lock()
        self._purposes = Purposes.load()
        self._ledger = Ledger(self._purposes, clock, randomness, gpc_mode=settings.gpc)
        self._audit = AuditLog(vault)
        self._catalog = Catalog(store, clock)
        self._learning = SumsKeeper(store, vault, self._ledger, clock, models_folder=settings.models_folder)
        self._intake = Intake(
            store, vault, self._ledger, self._catalog, clock, randomness, settings, learning=self._learning
        )
        controller = Controller(
            settings.controller_name, settings.controller_contact, settings.controller_address, settings.jurisdiction
        )
        self._choices = Choices(
            vault=vault,
            ledger=self._ledger,
            audit=self._audit,
            learning=self._learning,
            controller=controller,
            clock=clock,
            randomness=randomness,
        )
        self._rights = Rights(
            store, vault, self._ledger, self._audit, self._learning, controller, clock, randomness, vault.journal_path
        )
        self._retention = Retention(store, vault, self._ledger, self._learning, clock)
        self._recorder = Recorder(store)
        self._decider = Decider(
            vault=vault,
            ledger=self._ledger,
            catalog=self._catalog,
            learning=self._learning,
            clock=clock,
            randomness=randomness,
        )

    # -- opening and closing -------------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        store: str = "shop.db",
        *,
        keys: Path | str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        create: bool = True,
    ) -> Self:
        """Open a store by path or URL; an absent one is made, with its key file, unless `create` is False.

        Erasures that a crash interrupted are finished, and those that a restored backup brought back are repeated,
        before this returns. Raises `StoreUnavailable`, `StoreNewer`, `KeyFileMissing`, `Corrupt`.
        """
        clock = clock or SystemClock()
        randomness = randomness or SystemRandomness()
        opened, vault, key_path = open_house(store, keys, clock, randomness, create=create)
        try:
            engine = cls(opened, vault, settings or Settings.from_environment(), clock, randomness)
            engine.key_path = key_path
            engine._rights.replay_journal()
            engine._rights.resume_all()
        except BaseException:
            opened.close()
            raise
        return engine

    def warm(self) -> None:
        """Load the catalogue and the model now, so that the first decision does not wait for them."""
        with self._store.read() as session:
            self._decider.warm(session)

    def close(self) -> None:
        """Finish every acknowledged write and let go of the store."""
        self._intake.close()
        self._learning.close()
        self._store.close()

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the engine."""
        self.close()

    # -- events and items in -------------------------------------------------------------------------------------

    def take_in(self, events: Sequence[Mapping[str, Any]] | bytes, *, gpc: bool = False) -> TakenIn:
        """Take in events of Segment's shape (a list of them, or a raw JSON body) under the consent they carry.

        Returns when everything stored is durable. Raises `InvalidInput` and `TooLarge` for what is not a batch at all;
        single bad or unconsented events are dropped and counted.
        """
        body = events if isinstance(events, bytes) else self._intake.body_of(events)
        return self.submit_events(body, kind="batch", gpc=gpc).result()

    def submit_events(
        self, body: bytes, *, encoding: str | None = None, kind: str | None = None, gpc: bool = False
    ) -> Future[TakenIn]:
        """Read a raw body and queue the write; the future resolves once it is durable, or tells what is wrong."""
        return self._intake.submit_body(body, kind=kind, content_encoding=encoding, gpc=gpc)

    def body_write_key(self, body: bytes, encoding: str | None = None) -> str | None:
        """Return the `writeKey` that a tracking body carries, if any."""
        return self._intake.write_key_of(body, encoding)

    def put_items(self, items: Iterable[Mapping[str, Any]] | bytes) -> int:
        """Add or replace items of the catalogue; return how many. Raises `InvalidInput` naming the wrong one."""
        return self._catalog.put(items)

    def items(self, after: str | None = None, count: int = 100) -> list[dict[str, Any]]:
        """Return up to `count` listed items in order of their ids, beginning after the id `after`."""
        return self._catalog.page(after, count)

    def item(self, item: str) -> dict[str, Any]:
        """Return one listed item; raises `NotFound`."""
        return self._catalog.get(item)

    def drop_item(self, item: str) -> None:
        """Take one item off the list, so that it is suggested no more; raises `NotFound`."""
        self._catalog.drop(item)

    def import_file(
        self,
        shape: str,
        path: Path | str,
        *,
        grant: Sequence[str] = (),
        evidence: str | None = None,
        consent_column: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Imported:
        """Import a file of shape `events`, `items` or `online-retail`; resumable, and a second import adds nothing.

        People's lines need a stated consent: purposes to `grant` with `evidence`, or a column that holds them.
        `progress` is called with lines done and lines in all.
        """
        from assent.intake.files.importer import Importer  # noqa: PLC0415 - only importing needs it, and it takes long to load

        return Importer(self._store, self._intake, self._catalog, self._clock).run(
            shape, Path(path), grant=grant, evidence=evidence, consent_column=consent_column, progress=progress
        )

    # -- consent -------------------------------------------------------------------------------------------------

    def purposes(self) -> list[dict[str, Any]]:
        """Return every purpose with its plain text, legal basis, data used, retention and recipients."""
        return self._purposes.rows()

    def consent(
        self,
        person: str,
        grant: Sequence[str] = (),
        withdraw: Sequence[str] = (),
        *,
        evidence: str | None = None,
        language: str = "en",
    ) -> list[dict[str, Any]]:
        """Grant and withdraw purposes for a person, in force with the next call; return signed receipts.

        Withdrawing takes what was kept for that purpose alone out of records, history and models before it returns.
        """
        choice = Choice(person, tuple(grant), tuple(withdraw), evidence, language)
        receipts = self._store.write(lambda session: self._choices.choose(session, choice))
        self._count("consent")
        return receipts

    def consents(self, person: str) -> dict[str, Any]:
        """Return what a person agreed to, purpose by purpose, and the ledger entries behind it; raises `NotFound`."""
        with self._store.read() as session:
            row = people.load(session, self._vault.blinds(identifiers_named(person)))
            if row is None:
                raise _nobody()
            return self._rights.consents(session, row.person)

    # -- learning and deciding -----------------------------------------------------------------------------------

    def train(self, *, rebuild: bool = False, spark: Any = None) -> TrainReport:
        """Bring the sums up to date with everybody who says yes, and solve; `rebuild` adds up everything anew.

        `spark` (a session, or a master's URL) has it read and add up all histories. What the notices no longer allow to
        keep is swept out first.
        """
        self._retention.sweep()
        report = self._learning.train(rebuild=rebuild) if spark is None else self._learning.train_on(spark)
        detail = {"digest": report.digest, "people": report.people, "version": report.version}
        self._store.write(lambda session: self._audit.append(session, "train", detail))
        self._count("train")
        return report

    def decide(
        self,
        person: str | None = None,
        slot: str = "home",
        count: int = 10,
        context: Mapping[str, Any] | None = None,
        mode: str = "personal",
        *,
        exclude: Sequence[str] = (),
        include_bought: bool = False,
        gpc: bool = False,
    ) -> Decision:
        """Choose what one slot shows, with true reasons; returns when the decision's record is durable.

        Without leave to use the person's history, or for somebody unknown, the answer is honest and not personal.
        """
        question = ask(
            person=person,
            slot=slot,
            count=count,
            context=context,
            mode=mode,
            exclude=exclude,
            include_bought=include_bought,
            gpc=gpc,
        )
        (answer,), recorded = self.submit_decide([question])
        if isinstance(answer, AssentError):
            raise answer
        recorded.result()
        return answer.decision

    def submit_decide(
        self, questions: Sequence[Ask], later: Later | None = None
    ) -> tuple[list[Answer | AssentError], Future[None]]:
        """Decide now and queue the records: `decide` for servers; acknowledge only once the future resolves.

        What is wrong with one question stands in its answer's place. With an event loop's `call_later` as `later`,
        decisions that come close together are written together, and nothing is waited for: `Loading` is raised where
        no model may answer yet.
        """
        with self._store.read() as session:
            answers = self._decider.decide_all(session, questions, wait=later is None)
        records = [answer.recorded for answer in answers if not isinstance(answer, AssentError)]
        self._count("decide", len(records))
        return answers, self._recorder.submit(records, later)

    def similar(self, item: str, count: int = 10) -> list[Suggestion]:
        """Return the items most alike to one, best first; raises `NotFound` for an item not in the catalogue."""
        self._catalog.get(item)
        question = ask(slot="similar", count=count, context={"item": item}, mode="non_profiled")
        with self._store.read() as session:
            return list(self._decider.decide(session, question).decision.items)

    # -- rights --------------------------------------------------------------------------------------------------

    def export(self, person: str) -> dict[str, Any]:
        """Return everything held on a person, ready for JSON; raises `NotFound`."""
        self._count("export")
        return self._rights.export(person)

    def erase(self, person: str) -> Certificate:
        """Erase a person from rows, keys, caches and models; return the signed certificate. Raises `NotFound`.

        When this returns nothing is left; when it is interrupted, the next opening of the store finishes it.
        """
        certificate = self._rights.erase(person)
        self._intake.forget_people()
        self._decider.forget_people()
        self._count("erase")
        return certificate

    def verify(self, *, rebuild: bool = False) -> Verification:
        """Check the log's chain and signatures and the sums' digests; with `rebuild` add the sums up anew as well."""
        with self._store.read() as session:
            checks: list[Check] = [*self._audit.verify(session), *self._learning.verify(session, rebuild=rebuild)]
        return Verification(holds=all(check.holds for check in checks), checks=tuple(checks))

    def verify_certificate(self, certificate: Mapping[str, Any]) -> Verification:
        """Check a certificate of erasure: its signature, its log proof, and that the person is not back."""
        return self._rights.verify_certificate(certificate)

    # -- keys, health, metrics -----------------------------------------------------------------------------------

    def make_key(self, role: str, label: str = "") -> str:
        """Make an API key of a role (`browser`, `server`, `officer`, `monitor`); only its digest is kept."""
        if role not in ROLES:
            message = "That role does not exist."
            raise InvalidInput(message, advice=f"Use one of: {', '.join(ROLES)}.")
        key = f"{role}_{self._randomness.take(20).hex()}"

        def job(session: Session) -> None:
            api_keys.add(session, digest_api_key(key), role, label, self._clock.now_ms())
            self._audit.append(session, "key made", {"role": role})

        self._store.write(job)
        return key

    def role(self, key: str) -> str | None:
        """Return the role of an API key, or None when this store never gave it out."""
        known = self._roles.get(key)
        if known is None:
            with self._store.read() as session:
                known = api_keys.role(session, digest_api_key(key))
            if known is not None:
                self._roles[key] = known
        return known

    def has_keys(self) -> bool:
        """Tell whether any API key was made."""
        with self._store.read() as session:
            return api_keys.count(session) > 0

    def facts(self) -> dict[str, Any]:
        """Return what `assent doctor` looks at: where things are, how many there are, never anything about a person."""
        with self._store.read() as session:
            stored = counting.facts(session)
        return {
            "store": self._store.shown_url,
            "dialect": self._store.dialect,
            "schema": self._store.schema(),
            "key_file": str(self.key_path),
            "now_ms": self._clock.now_ms(),
            **stored,
        }

    def health(self) -> dict[str, Any]:
        """Return whether the store answers, and which model version is served."""
        with self._store.read() as session:
            return {"status": "ok", "store": self._store.dialect, "model_version": counting.model_version(session)}

    def metrics(self) -> dict[str, dict[str, int]]:
        """Return counts: events and acts of this process, rows of the store; never anything about a person."""
        with self._store.read() as session:
            stored = counting.totals(session)
        with self._counting:
            acts = dict(self._acts)
        return {"events": self._intake.counts(), "sizes": self._intake.sizes(), "acts": acts, "stored": stored}

    def _count(self, act: str, times: int = 1) -> None:
        with self._counting:
            self._acts[act] += times


def _nobody() -> NotFound:
    message = "Nobody is known by that name."
    return NotFound(message)
