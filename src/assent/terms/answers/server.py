"""Answers of the server about itself: health, metrics, and the facts that a check-up reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the store, its dialect, and the version of the stored sum (0 before the first training)."""

    status: str
    store: str
    model_version: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts by name, never about a person: events and acts of this process, bytes of events, rows of the store."""

    events: Mapping[str, int]
    sizes: Mapping[str, int]
    acts: Mapping[str, int]
    stored: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The stored sum: its version, the number of its people and items, its digest, and the time of its last change."""

    version: int
    people: int
    items: int
    digest: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Facts for `assent doctor`: places and counts, never anything about a person."""

    store: str
    dialect: str
    #: The schema's version, `current` and `wanted`.
    schema: Mapping[str, str | None]
    key_file: str
    now_ms: int
    people: int
    records: int
    decisions: int
    items: int
    unlisted_items: int
    erasures_open: int
    api_keys: int
    #: The recommender; None before the first training.
    model: ModelFacts | None
    #: Every model that has learned, by name.
    models: Mapping[str, ModelFacts]
