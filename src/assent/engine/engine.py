"""The engine: opens a shop and offers the ten acts of everyday use; everything else is `engine.<noun>.<verb>`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from assent.decide import Question
from assent.engine.capabilities import Capabilities
from assent.engine.rooms import Rooms, build
from assent.engine.stores import open_store
from assent.terms.answers.proofs import Check, Verification
from assent.terms.clock import Clock, SystemClock
from assent.terms.errors import AssentError
from assent.terms.randomness import Randomness, SystemRandomness
from assent.terms.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

    from assent.terms.answers.decisions import Decision
    from assent.terms.answers.events import TakenIn
    from assent.terms.answers.models import TrainReport
    from assent.terms.answers.people import Certificate, Export, Receipt


class Engine(Capabilities):
    """One open shop: events in, decisions out, rights kept. Safe to use from several threads.

    A person is named by any of their identifiers: `"user_id:17"`, `"email:ann@example.org"`, or bare `"17"`.
    """

    def __init__(self, rooms: Rooms) -> None:
        """Take the rooms that `build` made; callers use `Engine.open`."""
        super().__init__(rooms)
        self._rooms = rooms

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
        before this returns. Raises `StoreUnavailable`, `StoreNewer`, `KeyFileMissing`, `Corrupt`, and `InvalidInput`
        for a setting that does not exist, such as a language without notices.
        """
        clock = clock or SystemClock()
        randomness = randomness or SystemRandomness()
        opened, vault, key_path = open_store(store, keys, clock, randomness, create=create)
        try:
            rooms = build(opened, vault, settings or Settings.from_environment(), clock, randomness, key_path)
            rooms.rights.replay_journal()
            rooms.rights.resume_all()
        except BaseException:
            opened.close()
            raise
        return cls(rooms)

    def close(self) -> None:
        """Finish every acknowledged write and close the store."""
        self._rooms.intake.close()
        self._rooms.learning.close()
        self._rooms.store.close()

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
        body = events if isinstance(events, bytes) else self._rooms.intake.body_of(events)
        return self.events.submit(body, kind="batch", gpc=gpc).result()

    def put_items(self, items: Iterable[Mapping[str, Any]] | bytes) -> int:
        """Add or replace items of the catalog; return how many. Raises `InvalidInput` naming the wrong one."""
        return self.catalog.put(items)

    # -- learning and deciding -----------------------------------------------------------------------------------

    def train(self, *, rebuild: bool = False, spark: Any = None) -> TrainReport:
        """Bring the sums up to date with all who agreed to `learn`, and solve; `rebuild` adds all of them up anew.

        `spark` (a session, or a master's URL) reads and adds up all histories. Data past the retention of its
        notices is deleted first. Raises `Busy`, `NotEnoughMemory`, `SparkUnavailable`.
        """
        self._rooms.retention.sweep()
        report = self._rooms.learning.train(rebuild=rebuild) if spark is None else self._rooms.learning.train_on(spark)
        detail = {"digest": report.digest, "people": report.people, "version": report.version}
        self._rooms.store.write(lambda session: self._rooms.audit.append(session, "train", detail))
        self._rooms.acts.add("train")
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
        language: str | None = None,
    ) -> Decision:
        """Choose what one slot shows, with true reasons; returns when the decision's record is durable.

        `language` is a tag such as `de-AT`; the nearest known language answers, or else that of the settings.
        Without a permit for the person's history, or for an unknown person, the answer is not personal and says so.
        """
        question = Question.of(
            person=person,
            slot=slot,
            count=count,
            context=context,
            mode=mode,
            exclude=exclude,
            include_bought=include_bought,
            gpc=gpc,
            language=language,
        )
        (answer,), recorded = self.decisions.submit([question])
        if isinstance(answer, AssentError):
            raise answer
        recorded.result()
        return answer.decision

    # -- one person ----------------------------------------------------------------------------------------------

    def consent(
        self,
        person: str,
        grant: Sequence[str] = (),
        withdraw: Sequence[str] = (),
        *,
        evidence: str | None = None,
        language: str | None = None,
    ) -> list[Receipt]:
        """Grant and withdraw purposes for a person, in force with the next call; see `engine.people.consent`."""
        return self.people.consent(person, grant, withdraw, evidence=evidence, language=language)

    def export(self, person: str) -> Export:
        """Return all data about a person; raises `NotFound`."""
        return self.people.export(person)

    def erase(self, person: str) -> Certificate:
        """Erase a person from rows, keys, caches and models; return the signed certificate. Raises `NotFound`."""
        return self.people.erase(person)

    # -- proof ---------------------------------------------------------------------------------------------------

    def verify(self, *, rebuild: bool = False) -> Verification:
        """Check the log's chain and signatures and the sums' digests; with `rebuild` add the sums up anew as well."""
        with self._rooms.store.read() as session:
            checks: list[Check] = [
                *self._rooms.audit.verify(session),
                *self._rooms.learning.verify(session, rebuild=rebuild),
            ]
        return Verification(holds=all(check.holds for check in checks), checks=tuple(checks))
