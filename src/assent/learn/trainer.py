"""The trainer: it brings every model's sum up to date with the people who consent now, in one transaction."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assent.learn.registry import MODEL
from assent.learn.spark.driver import gatherer
from assent.learn.training_plan import READ_TOGETHER, TrainingPlan
from assent.models.additive import Facts
from assent.store.topics import items, people, records
from assent.store.topics import meta as store_meta
from assent.terms.answers.models import TrainReport
from assent.terms.errors import AssentError, Busy
from assent.terms.limits import limit
from assent.terms.purposes import Learn

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn.kept_sum import KeptSum
    from assent.learn.model_files import ModelFolder
    from assent.learn.spark.driver import Spark
    from assent.store import Session, Store
    from assent.terms.clock import Clock
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey, Vault

_ATTEMPTS_MAX = limit("train_attempts_max")

#: One write job folds so many histories: few enough that other jobs wait only for moments.
FOLDED_TOGETHER = 100


@dataclass(slots=True)
class Draft:
    """The plan and the new sum of one model in a training, and its solver."""

    kept: KeptSum
    plan: TrainingPlan
    total: Any
    solve: Callable[[Any], Any]
    solved: Any = None


class Trainer:
    """Reads and solves while others write, then commits; if consent changed in between it starts again."""

    def __init__(
        self,
        kept: Sequence[KeptSum],
        *,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        clock: Clock,
        folder: ModelFolder,
    ) -> None:
        self._kept = tuple(kept)
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._folder = folder

    def train(self, *, rebuild: bool = False) -> TrainReport:
        """Train; the last attempt is one write job. `rebuild` adds all people up again instead of the differences."""
        started = time.perf_counter()
        self._fold_tails()

        def read() -> list[Draft]:
            with self._store.read() as session:
                return self._drafts(session, self._kept, rebuild=rebuild)

        report = self._attempts(read)
        if report is None:
            with self._folder.solving():
                report = self._store.write(functools.partial(self._train_holding, rebuild=rebuild))
                self._publish()
        return replace(report, seconds=round(time.perf_counter() - started, 3))

    def train_on(self, spark: Spark) -> TrainReport:
        """Train as `train(rebuild=True)` does, with the recommender's histories read by Spark (session or URL).

        Histories for other models are read here. Raises `SparkUnavailable`, an executor's error, and `Busy` when
        consent changed during every attempt; then nothing changed.
        """
        started = time.perf_counter()
        with gatherer(spark, store=self._store, vault=self._vault, ledger=self._ledger, clock=self._clock) as gather:
            self._fold_tails()

            def read() -> list[Draft] | None:
                gathered = gather()
                if gathered is None:
                    return None
                plan, total, solver = gathered
                there = [each for each in self._kept if each.name == MODEL]
                here = [each for each in self._kept if each.name != MODEL]
                drafts = [
                    Draft(each, plan, total, functools.partial(each.model.solve, solver=solver))  # type: ignore[call-arg]
                    for each in there
                ]
                if not here:
                    return drafts
                with self._store.read() as session:
                    return [*drafts, *self._drafts(session, here, rebuild=True)]

            report = self._attempts(read)
        if report is None:
            raise Busy(
                f"Consent changed during each of {_ATTEMPTS_MAX} trainings.",
                advice="Train at a quieter hour, or without Spark; nothing was changed.",
            )
        return replace(report, seconds=round(time.perf_counter() - started, 3))

    def _attempts(self, read: Callable[[], list[Draft] | None]) -> TrainReport | None:
        """Read, solve and commit until no consent changed meanwhile; None when it changed during every attempt."""
        for _ in range(_ATTEMPTS_MAX):
            drafts = read()
            if drafts is None:
                continue
            with self._folder.solving():
                _solve(drafts)
                report = self._store.write(functools.partial(self._commit, drafts=drafts))
                if report is not None:
                    self._publish()
                    return report
        return None

    def _train_holding(self, session: Session, *, rebuild: bool) -> TrainReport:
        """Train inside one write job, so that no consent changes meanwhile: the last attempt on a busy store."""
        drafts = self._drafts(session, self._kept, rebuild=rebuild)
        _solve(drafts)
        report = self._commit(session, drafts=drafts)
        if report is None:
            raise AssentError("The store changed inside its own transaction.")
        return report

    def _publish(self) -> None:
        for each in self._kept:
            each.server.publish()

    # -- reading -------------------------------------------------------------------------------------------------

    def _fold_tails(self) -> None:
        """Fold the histories with many trails, a few at a time, so that opening them stays quick."""
        with self._store.read() as session:
            people_to_fold = records.long_tails(session, limit("history_tail_records"))
        for start in range(0, len(people_to_fold), FOLDED_TOGETHER):
            page = people_to_fold[start : start + FOLDED_TOGETHER]
            self._store.write(functools.partial(self._fold, page=page))

    def _fold(self, session: Session, *, page: Sequence[PersonId]) -> None:
        for person in page:
            row = people.key(session, person)
            if row is not None:
                self._vault.fold_history(session, person, self._vault.key(person, *row))

    def _drafts(self, session: Session, kept: Sequence[KeptSum], *, rebuild: bool) -> list[Draft]:
        """Compare the contributions of all histories with the stored ones, and change copies of the sums."""
        epoch, facts = store_meta.epoch(session), facts_of(session)
        comparisons = [each.compare(session, epoch, facts.columns, rebuild=rebuild) for each in kept]
        for key, wanted in self._wanted(session, kept, facts):
            for comparison, contribution in zip(comparisons, wanted, strict=True):
                comparison.add(key.person, key, contribution)
        plans = [each.finish(functools.partial(key_of, session, self._vault)) for each in comparisons]
        return [
            Draft(each, plan, each.total_after(session, plan), each.model.solve)
            for each, plan in zip(kept, plans, strict=True)
        ]

    def _wanted(
        self, session: Session, kept: Sequence[KeptSum], facts: Facts
    ) -> Iterator[tuple[PersonKey, tuple[Any, ...]]]:
        """Yield the contributions now, to each of the sums, of each person with a permit to learn."""
        granting = self._ledger.people_granting(session, Learn)
        for start in range(0, len(granting), READ_TOGETHER):
            permits = self._ledger.permits(session, granting[start : start + READ_TOGETHER], Learn)
            keys = self._keys(session, permits)
            histories = self._vault.open_histories(session, list(zip(permits.values(), keys, strict=True)), Learn)
            wanted = [each.model.contributions(histories, facts) for each in kept]
            yield from zip(keys, zip(*wanted, strict=True), strict=True)

    def _keys(self, session: Session, persons: Collection[PersonId]) -> list[PersonKey]:
        rows = people.keys_of(session, persons)
        return [self._vault.key(person, *_present(rows.get(person))) for person in persons]

    # -- writing -------------------------------------------------------------------------------------------------

    def _commit(self, session: Session, *, drafts: Sequence[Draft]) -> TrainReport | None:
        """Write all sums and contributions in one transaction; None when a plan no longer fits the store."""
        epoch = store_meta.epoch(session)
        if any(each.plan.epoch != epoch or not each.kept.is_as_planned(session, each.plan) for each in drafts):
            return None
        reports = [self._write(session, each) for each in drafts]
        return reports[0]

    def _write(self, session: Session, draft: Draft) -> TrainReport:
        plan, total = draft.plan, draft.total
        head = draft.kept.write(session, plan, total, self._clock.now_ms())
        server, solved = draft.kept.server, draft.solved
        session.after_commit(lambda: server.serve(solved, head.version, head.last_left_version))
        return TrainReport(
            people=total.people,
            items=total.columns,
            added=len(plan.fresh) + len(plan.sealed),
            removed=len(plan.gone),
            digest=head.digest,
            version=head.version,
            seconds=0.0,
            rebuilt=plan.rebuild,
        )


def _solve(drafts: Sequence[Draft]) -> None:
    for each in drafts:
        each.solved = each.solve(each.total.copy())


def facts_of(session: Session) -> Facts:
    """Return the facts of items for models; the catalog is read when labels are first used."""

    @functools.cache
    def item_facts() -> list[dict[str, Any]]:
        return [json.loads(row.facts) for row in items.all(session)]

    def labels(name: str) -> list[str]:
        found = (facts.get(name) for facts in item_facts())
        return [label if isinstance(label, str) else "" for label in found]

    return Facts(items.count(session), labels)


def key_of(session: Session, vault: Vault, person: PersonId) -> PersonKey:
    """Return the key of a person with consent; raises `AssentError` when it is missing."""
    return vault.key(person, *_present(people.key(session, person)))


def _present(row: tuple[bytes, str] | None) -> tuple[bytes, str]:
    """Return a wrapped key that must be there; raises `AssentError` for None."""
    if row is None:
        raise AssentError("A person's key is missing although their consent stands.")
    return row
