"""`engine.server`: health, counts and facts of a server, and what it loads before the first request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.engine.acts import Act
from assent.learn import MODEL, registry
from assent.store.topics import api_keys, decisions, erasures, items, people, records, sums
from assent.terms.answers.server import Health, Metrics, ModelFacts, StoreFacts

if TYPE_CHECKING:
    from assent.engine.rooms import Rooms
    from assent.store import Session

ACTS = (Act.of("metrics", "server", "officer", "monitor"),)


class ServerActs:
    """Health, counts and facts; never anything about a person."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def warm(self) -> None:
        """Load the catalog and the model now, so that the first decision does not wait for them."""
        with self._rooms.store.read() as session:
            self._rooms.decider.warm(session)

    def health(self) -> Health:
        """Return whether the store answers, and which version of the sum it has; raises `StoreUnavailable`."""
        with self._rooms.store.read() as session:
            return Health("ok", self._rooms.store.dialect, sums.version(session, MODEL))

    def metrics(self) -> Metrics:
        """Return counts: events and acts of this process, rows of the store."""
        rooms = self._rooms
        with rooms.store.read() as session:
            stored = _totals(session)
        return Metrics(rooms.intake.counts(), rooms.intake.sizes(), rooms.acts.all(), stored)

    def facts(self) -> StoreFacts:
        """Return the facts that `assent doctor` checks: places of files, and numbers of rows."""
        rooms = self._rooms
        with rooms.store.read() as session:
            models = _models(session)
            return StoreFacts(
                store=rooms.store.shown_url,
                dialect=rooms.store.dialect,
                schema=rooms.store.schema(),
                key_file=str(rooms.key_path),
                now_ms=rooms.clock.now_ms(),
                people=people.count(session),
                records=records.count(session),
                decisions=decisions.count(session),
                items=items.count(session),
                unlisted_items=items.count_unlisted(session),
                erasures_open=len(erasures.open_ones(session)),
                api_keys=api_keys.count(session),
                model=models.get(MODEL),
                models=models,
            )


def _totals(session: Session) -> dict[str, int]:
    """Return the sizes that metrics show."""
    counts = {
        "people": people.count(session),
        "items": items.count(session),
        "decisions": decisions.count(session),
    }
    for kind in registry.KINDS:
        head = sums.head(session, kind.name)
        # The recommender is the model of decisions, and is counted as just that.
        label = "model" if kind.name == MODEL else kind.name
        counts[f"people_in_{label}"] = head.people if head else 0
        counts[f"{label}_version"] = head.version if head else 0
    return counts


def _models(session: Session) -> dict[str, ModelFacts]:
    """Return the facts of each model that has learned, by name."""
    heads = {kind.name: sums.head(session, kind.name) for kind in registry.KINDS}
    return {
        name: ModelFacts(head.version, head.people, head.columns, head.digest, head.at_ms)
        for name, head in heads.items()
        if head is not None
    }
