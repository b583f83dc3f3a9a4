"""Counting what a store holds; nothing here is about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.learn import MODEL
from assent.store.topics import api_keys, decisions, erasures, items, people, records, sums

if TYPE_CHECKING:
    from assent.store import Session


def totals(session: Session) -> dict[str, int]:
    """Return the sizes that metrics show."""
    head = sums.head(session, MODEL)
    return {
        "people": people.count(session),
        "items": items.count(session),
        "decisions": decisions.count(session),
        "people_in_model": head.people if head else 0,
        "model_version": head.version if head else 0,
    }


def model_version(session: Session) -> int:
    """Return the version of the stored sum, 0 before the first training."""
    return sums.version(session, MODEL)


def facts(session: Session) -> dict[str, Any]:
    """Return what a check-up looks at."""
    head = sums.head(session, MODEL)
    model = None
    if head is not None:
        model = {
            "version": head.version,
            "people": head.people,
            "items": head.columns,
            "digest": head.digest,
            "at_ms": head.at_ms,
        }
    return {
        "people": people.count(session),
        "records": records.count(session),
        "decisions": decisions.count(session),
        "items": items.count(session),
        "unlisted_items": items.count_unlisted(session),
        "erasures_open": len(erasures.open_ones(session)),
        "api_keys": api_keys.count(session),
        "model": model,
    }
