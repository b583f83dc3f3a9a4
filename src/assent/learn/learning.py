"""The keeper of the recommender's sum: one truth on disk, one solved copy in memory.

The sum lives in the store row by row, each person's sealed contribution beside it; both change in one transaction.
The solved model in memory is a cache of it: a newer version on disk is taken in as the exact difference of rows.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from assent.learn.plan import Plan, Wanted, contributions_of, plan_changes
from assent.learn.publishing import ModelFolder, folder_of
from assent.learn.serving import Served
from assent.learn.snapshot import MODEL, last_leaving, load_sum, write_sum
from assent.learn.spark.training import gatherer
from assent.models.recommender import Recommender
from assent.store.topics import items, people, records, sums
from assent.store.topics import meta as store_meta
from assent.sums import Contribution, PairSum
from assent.terms.answers.models import TrainReport
from assent.terms.answers.proofs import Check
from assent.terms.errors import AssentError, Busy, NotLearned
from assent.terms.ids import PersonId
from assent.terms.limits import limit
from assent.terms.permits import Permit
from assent.terms.purposes import Learn

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn.spark.training import Spark
    from assent.store import Session, Store
    from assent.terms.clock import Clock
    from assent.vault import PersonKey, Vault

#: How often a training starts again because somebody's consent changed while it was reading.
ATTEMPTS_MAX = 3

#: How many histories one write job folds: few enough that nobody waits for it.
FOLDED_TOGETHER = 100

#: How many histories are opened and weighed at once.
READ_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What taking one person out of the sums did: digests are SHA-256 in hex, empty before the first training."""

    had_contribution: bool
    digest_before: str
    digest_after: str


class Learning:
    """Adds people to the sum, takes them out, keeps a solved model that is never older than the store."""

    def __init__(self, store: Store, vault: Vault, ledger: Ledger, clock: Clock, *, models_folder: str = "") -> None:
        """Start empty; the first `model` or `train` loads what the store holds.

        `models_folder` is where the processes of the store share solved models; unless named, beside an SQLite file,
        else nowhere. Model files that a crash left behind are removed; raises `StoreUnavailable` when they cannot be.
        """
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._folder = ModelFolder(folder_of(store.path, models_folder))
        self._served = Served(store, self._folder)
        self._folder.tidy(self._stands)

    # -- serving -------------------------------------------------------------------------------------------------

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Recommender | None:
        """Return the solved model for what `session` sees, or None before the first training.

        Nobody who left is ever in it. People who came, or whose history changed, may follow a moment later. Where no
        model may answer yet this waits for one, or raises `Loading` without `wait`.
        `version`: the sum's version, if the same session has read it already.
        """
        return self._served.model(session, version, wait=wait)

    def close(self) -> None:
        """Write no other model file."""
        self._served.close()

    def retire_files(self) -> int:
        """Remove every model file that somebody who left is in; return how many there were. Raises `StoreUnavailable`.

        Whoever says that a person is gone calls this first: another process may have died before it did.
        """
        return self._served.retire(self._stands()[1])

    def _stands(self) -> tuple[int, int]:
        """Return the version of the stored sum, and the version at which somebody last left it."""
        with self._store.read() as session:
            head = sums.head(session, MODEL)
        return (0, 0) if head is None else (head.version, last_leaving(head))

    # -- one person ----------------------------------------------------------------------------------------------

    def forget_person(self, session: Session, person: PersonId, person_key: PersonKey) -> Forgotten:
        """Subtract one person's contribution from the sum, inside the caller's write job.

        What is subtracted is the sealed version of what was added. The served model follows when the job has committed.
        """
        head = sums.head(session, MODEL)
        if head is None:
            return Forgotten(had_contribution=False, digest_before="", digest_after="")
        sealed = sums.contribution(session, MODEL, person)
        if sealed is None:
            session.after_commit(self.retire_files)
            return Forgotten(had_contribution=False, digest_before=head.digest, digest_after=head.digest)
        contribution = Contribution.from_bytes(self._vault.open_contribution(person_key, MODEL, sealed))
        total = self._sum_at(session, head)
        total.remove(contribution)
        write_sum(session, head, total, contribution.items, self._clock.now_ms(), left=True)
        sums.drop_contribution(session, MODEL, person)
        session.after_commit(lambda: self._served.forget(head.version, contribution))
        return Forgotten(had_contribution=True, digest_before=head.digest, digest_after=total.digest())

    def _sum_at(self, session: Session, head: sums.HeadRow) -> PairSum:
        """Return a private copy of the sum at the version that the write job sees."""
        held = self._served.sum()
        if held is None or held[1] > head.version:
            return load_sum(session, head)
        total, version = held
        if version < head.version:
            total.grow(head.columns)
            rows = {item: row for item, _, row in sums.rows_after(session, MODEL, version)}
            total.replace_rows(rows, np.frombuffer(head.counts, dtype="<i8"), head.people)
        return total

    # -- everyone ------------------------------------------------------------------------------------------------

    def train(self, *, rebuild: bool = False) -> TrainReport:
        """Bring the sum up to date with everybody who says yes now, and solve.

        Reads and solves without holding up writers, then commits in one transaction; if consent changed in between it
        starts again. `rebuild` adds up everything anew instead of changing the sum by the differences.
        """
        started = time.perf_counter()
        self._fold_tails()
        for _ in range(ATTEMPTS_MAX):
            with self._store.read() as session:
                plan = self._plan(session, rebuild=rebuild)
                total = self._total(session, plan)
            with self._folder.solving():
                model = Recommender.of_sum(total.copy())
                report = self._store.write(functools.partial(self._commit, plan=plan, total=total, model=model))
                if report is not None:
                    self._served.share()
                    return replace(report, seconds=round(time.perf_counter() - started, 3))
        with self._folder.solving():
            report = self._store.write(functools.partial(self._train_holding, rebuild=rebuild))
            self._served.share()
        return replace(report, seconds=round(time.perf_counter() - started, 3))

    def train_on(self, spark: Spark) -> TrainReport:
        """Train as `train(rebuild=True)` does, with histories read by Spark: a session, or a master's URL.

        Raises `SparkUnavailable`, what an executor met, and `Busy` when consent changed again and again; nothing is
        changed then.
        """
        started = time.perf_counter()
        with gatherer(spark, store=self._store, vault=self._vault, ledger=self._ledger, clock=self._clock) as gather:
            self._fold_tails()
            for _ in range(ATTEMPTS_MAX):
                gathered = gather()
                if gathered is None:
                    continue
                plan, total, solver = gathered
                with self._folder.solving():
                    model = Recommender.of_sum(total.copy(), solver=solver)
                    report = self._store.write(functools.partial(self._commit, plan=plan, total=total, model=model))
                    if report is not None:
                        self._served.share()
                        return replace(report, seconds=round(time.perf_counter() - started, 3))
        message = f"Consent changed during each of {ATTEMPTS_MAX} trainings."
        raise Busy(message, advice="Train at a quieter hour, or without Spark; nothing was changed.")

    def _fold_tails(self) -> None:
        """Fold the histories that lie in many pieces, a few at a time, so that opening them stays quick."""
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

    def _train_holding(self, session: Session, *, rebuild: bool) -> TrainReport:
        """Train inside one write job, so that nobody's consent changes meanwhile: the last resort on a busy store."""
        plan = self._plan(session, rebuild=rebuild)
        total = self._total(session, plan)
        report = self._commit(session, plan=plan, total=total, model=Recommender.of_sum(total.copy()))
        if report is None:
            message = "The store changed inside its own transaction."
            raise AssentError(message)
        return report

    def _total(self, session: Session, plan: Plan) -> PairSum:
        """Return the sum as it will stand once the plan is carried out."""
        head = sums.head(session, MODEL)
        if plan.rebuild or head is None:
            return PairSum.of(plan.everyone(), plan.columns)
        total = self._sum_at(session, head)
        total.grow(plan.columns)
        for contribution in plan.leaving:
            total.remove(contribution)
        for contribution in plan.coming:
            total.add(contribution)
        return total

    def _plan(self, session: Session, *, rebuild: bool) -> Plan:
        """Compare what everybody's history says now with what was added for them before."""
        head = sums.head(session, MODEL)
        held = {PersonId(person): sealed for person, sealed in (sums.contributions(session, MODEL) if head else ())}
        return plan_changes(
            head=head,
            epoch=store_meta.epoch(session),
            columns=items.count(session),
            held=held,
            wanted=self._wanted(session),
            open_held=lambda key, sealed: self._vault.open_contribution(key, MODEL, sealed),
            key_of=lambda person: self._key(session, person),
            rebuild=rebuild or head is None,
        )

    def _wanted(self, session: Session) -> Iterator[Wanted]:
        """Yield what each person with leave to learn would contribute now."""
        granting = self._ledger.people_granting(session, Learn)
        for start in range(0, len(granting), READ_TOGETHER):
            permits = self._ledger.permits(session, granting[start : start + READ_TOGETHER], Learn)
            keys = self._keys(session, permits)
            histories = self._vault.open_histories(session, list(zip(permits.values(), keys, strict=True)), Learn)
            for key, contribution in zip(keys, contributions_of(histories), strict=True):
                yield Wanted(key.person, key, contribution)

    def _keys(self, session: Session, persons: Collection[PersonId]) -> list[PersonKey]:
        rows = people.keys_of(session, persons)
        return [self._vault.key(person, *_held_key(rows.get(person))) for person in persons]

    def _key(self, session: Session, person: PersonId) -> PersonKey:
        return self._vault.key(person, *_held_key(people.key(session, person)))

    def _commit(self, session: Session, *, plan: Plan, total: PairSum, model: Recommender) -> TrainReport | None:
        """Write sum and contributions in one transaction; None when the plan no longer fits what is stored."""
        head = sums.head(session, MODEL)
        if store_meta.epoch(session) != plan.epoch or (head.version if head else 0) != plan.version:
            return None
        touched = None if plan.rebuild or head is None else plan.touched()
        version = write_sum(session, head, total, touched, self._clock.now_ms(), left=bool(plan.gone))
        for person in plan.gone:
            sums.drop_contribution(session, MODEL, person)
        seal = self._vault.seal_contribution
        sums.put_contributions(
            session, MODEL, [(person, seal(key, MODEL, each.to_bytes())) for person, key, each in plan.fresh]
        )
        sums.put_contributions(session, MODEL, plan.sealed)
        left = version if plan.gone else last_leaving(head) if head else 0
        session.after_commit(lambda: self._served.take(model, version, left))
        return TrainReport(
            people=total.people,
            items=total.columns,
            added=len(plan.fresh) + len(plan.sealed),
            removed=len(plan.gone),
            digest=total.digest(),
            version=version,
            seconds=0.0,
            rebuilt=plan.rebuild,
        )

    # -- proof ---------------------------------------------------------------------------------------------------

    def verify(self, session: Session, *, rebuild: bool = False) -> list[Check]:
        """Check that the stored rows have the digest that was written, with `rebuild` that a fresh sum has it too."""
        head = sums.head(session, MODEL)
        if head is None:
            return [Check("sum", holds=True, found="nothing learned yet")]
        stored = load_sum(session, head, verify=False).digest()
        checks = [Check("sum digest", holds=stored == head.digest, found=f"{head.people} people, {stored[:16]}")]
        if rebuild:
            fresh = PairSum.of(self._held(session), head.columns).digest()
            checks.append(Check("sum rebuilt from contributions", holds=fresh == head.digest, found=fresh[:16]))
        return checks

    def _held(self, session: Session) -> list[Contribution]:
        """Open every stored contribution of people who still say yes."""
        held = []
        for person, sealed in sums.contributions(session, MODEL):
            permit = self._ledger.may(session, PersonId(person), Learn)
            if not isinstance(permit, Permit):
                message = "Somebody without leave to learn is still in the sum."
                raise NotLearned(message, advice="Run `assent train`, which takes out whoever withdrew or expired.")
            key = self._key(session, PersonId(person))
            held.append(Contribution.from_bytes(self._vault.open_contribution(key, MODEL, sealed)))
        return held


def _held_key(row: tuple[bytes, str] | None) -> tuple[bytes, str]:
    """Hand on a wrapped key; raises `AssentError` when there is none."""
    if row is None:
        message = "A person's key is missing although their consent stands."
        raise AssentError(message)
    return row
