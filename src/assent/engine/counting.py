"""Counting what a store holds; nothing here is about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.learn import MODEL, registry
from assent.store.topics import api_keys, decisions, erasures, items, people, records, sums

if TYPE_CHECKING:
    from assent.store import Session


def totals(session: Session) -> dict[str, int]:
    """Return the sizes that metrics show."""
    heads = _heads(session)
    counts = {
        "people": people.count(session),
        "items": items.count(session),
        "decisions": decisions.count(session),
    }
    for name, head in heads.items():
        # The recommender is the model of decisions, and is counted as just that.
        label = "model" if name == MODEL else name
        counts[f"people_in_{label}"] = head.people if head else 0
        counts[f"{label}_version"] = head.version if head else 0
    return counts


def model_version(session: Session) -> int:
    """Return the version of the stored sum, 0 before the first training."""
    return sums.version(session, MODEL)


def facts(session: Session) -> dict[str, Any]:
    """Return what a check-up looks at."""
    models = {
        name: {
            "version": head.version,
            "people": head.people,
            "items": head.columns,
            "digest": head.digest,
            "at_ms": head.at_ms,
        }
        for name, head in _heads(session).items()
        if head is not None
    }
    return {
        "people": people.count(session),
        "records": records.count(session),
        "decisions": decisions.count(session),
        "items": items.count(session),
        "unlisted_items": items.count_unlisted(session),
        "erasures_open": len(erasures.open_ones(session)),
        "api_keys": api_keys.count(session),
        "model": models.get(MODEL),
        "models": models,
    }


def _heads(session: Session) -> dict[str, sums.HeadRow | None]:
    """Return the head of each model's sum, by name."""
    return {kind.name: sums.head(session, kind.name) for kind in registry.KINDS}
