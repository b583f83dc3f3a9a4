"""The keeper of every model's sum: the truth in the store, one solved copy in memory.

The store has each sum row by row, and the sealed contribution of each person; both change in one transaction. Solved
models in memory are caches of the sums. The kinds of models are those of `registry.KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.learn import registry
from assent.learn.kept_sum import Forgotten, KeptSum
from assent.learn.model_files import ModelFolder, folder_of
from assent.learn.model_server import ModelServer
from assent.learn.trainer import Trainer, key_of
from assent.store.topics import sums
from assent.terms.errors import NotLearned, StoreNewer
from assent.terms.permits import Permit
from assent.terms.purposes import Learn

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn.spark.driver import Spark
    from assent.models.recommender import SolvedModel
    from assent.store import Session, Store
    from assent.terms.answers.models import TrainReport
    from assent.terms.answers.proofs import Check
    from assent.terms.clock import Clock
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey, Vault


class SumsKeeper:
    """Adds people to the sums, subtracts them, and keeps solved models that are never older than the store."""

    def __init__(self, store: Store, vault: Vault, ledger: Ledger, clock: Clock, *, models_folder: str = "") -> None:
        """Start empty; the first `model` or `train` loads the stored sums.

        The processes of the store share solved models in `models_folder`: by default beside an SQLite file, else
        nowhere. Model files that a crash left are removed; raises `StoreUnavailable` when they cannot be.
        """
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        folder = ModelFolder(folder_of(store.path, models_folder))
        servers = {kind.name: kind.server(store, kind.model, folder) for kind in registry.KINDS}
        self._kept = tuple(KeptSum(kind, servers[kind.name], vault) for kind in registry.KINDS)
        recommender = servers[registry.MODEL]
        if not isinstance(recommender, ModelServer):
            raise TypeError("Decisions are made by the recommender: its row of the registry stays as it is.")
        #: The server of the recommender.
        self.recommender = recommender
        with store.read() as session:
            self._check_models(session)
        self._trainer = Trainer(self._kept, store=store, vault=vault, ledger=ledger, clock=clock, folder=folder)

    # -- serving -------------------------------------------------------------------------------------------------

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> SolvedModel | None:
        """Return the solved recommender of the sum that `session` sees, or None before the first training.

        No person who left is in it. New people and changed histories may follow a moment later. Where no model may
        answer yet this waits for one, or raises `Loading` without `wait`; call it before taking `lock`. `version`: the
        sum's version, if the same session has read it.
        """
        return self.recommender.model(session, version, wait=wait)

    def solved(self, session: Session, name: str) -> Any | None:
        """Return the solved model of that name for the sum that `session` sees; None before a training.

        Raises `KeyError` for a name outside the registry.
        """
        return {each.name: each for each in self._kept}[name].server.model(session)

    def retire_files(self) -> int:
        """Remove every model file with a person who left; return their number. Raises `StoreUnavailable`.

        An erasure calls this before its certificate: another process may have died before it removed its files.
        """
        return sum(each.server.retire() for each in self._kept)

    def close(self) -> None:
        """Write no other model file."""
        for each in self._kept:
            each.server.close()

    # -- people --------------------------------------------------------------------------------------------------

    def forget_person(self, session: Session, person: PersonId, person_key: PersonKey) -> dict[str, Forgotten]:
        """Subtract one person's contribution from every sum, inside the caller's write job; return it by model.

        It subtracts exactly the sealed contribution that was added. Solved models follow after the commit.
        """
        self._check_models(session)
        now_ms = self._clock.now_ms()
        return {each.name: each.forget(session, person, person_key, now_ms) for each in self._kept}

    def _check_models(self, session: Session) -> None:
        """Refuse a store with a sum that this program would leave people in."""
        unknown = sums.models(session) - {each.name for each in self._kept}
        if unknown:
            raise StoreNewer(f"The store has the sum of a model that is not registered here: {min(unknown)}.")

    def train(self, *, rebuild: bool = False) -> TrainReport:
        """Bring the sums up to date with all people who consent now, and solve; the report is the recommender's.

        Reads and solves while others write, then commits in one transaction; if consent changed in between it starts
        again. `rebuild` adds all people up again instead of changing the sums by the differences.
        """
        return self._trainer.train(rebuild=rebuild)

    def train_on(self, spark: Spark) -> TrainReport:
        """Train as `train(rebuild=True)` does, with histories read by Spark: a session, or a master's URL.

        Raises `SparkUnavailable`, an executor's error, and `Busy` when consent changed during every attempt; then
        nothing changed.
        """
        return self._trainer.train_on(spark)

    # -- proof ---------------------------------------------------------------------------------------------------

    def verify(self, session: Session, *, rebuild: bool = False) -> list[Check]:
        """Check that stored rows have the written digests; with `rebuild`, that fresh sums have them too.

        With several models, each check names its model. Raises `NotLearned` when a person without consent to `learn`
        is in a sum that is added up, `StoreNewer` when the store has the sum of a model that is not registered here.
        """
        self._check_models(session)
        checks = []
        for each in self._kept:
            label = f" of {each.name}" if len(self._kept) > 1 else ""
            checks += each.verify(session, label)
            if rebuild:
                checks += each.verify_rebuilt(session, self._contributions(session, each), label)
        return checks

    def _contributions(self, session: Session, kept: KeptSum) -> list[Any]:
        """Open the stored contributions of all people; raises `NotLearned` for one without consent."""
        opened = []
        for person, sealed in sums.contributions(session, kept.name):
            permit = self._ledger.may(session, person, Learn)
            if not isinstance(permit, Permit):
                raise NotLearned(
                    "Somebody without leave to learn is still in the sum.",
                    advice="Run `assent train`, which takes out whoever withdrew or expired.",
                )
            opened.append(kept.open(key_of(session, self._vault, person), sealed))
        return opened
