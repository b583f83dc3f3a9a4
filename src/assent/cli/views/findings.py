"""The findings of `assent doctor`, derived from the facts: one a line, with advice where something can be done."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assent.cli.screen import moment
from assent.terms.answers.server import ModelFacts, StoreFacts
from assent.terms.clock import DAY_MS

#: The age from which on `assent doctor` advises to train again.
STALE_MODEL_DAYS = 7


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its result, the facts found, and advice (empty for none)."""

    name: str
    well: bool
    found: str
    advice: str = ""


def checkup(facts: StoreFacts, key_path: Path) -> list[Finding]:
    """Read the engine's facts and the key file's permissions; findings with `well=False` need care."""
    return [
        Finding("store", well=True, found=f"{facts.dialect}, {facts.store}"),
        _schema(facts.schema),
        _key_file(key_path),
        _api_keys(facts.api_keys),
        _people(facts),
        _goods(facts.items, facts.unlisted_items),
        _erasures(facts.erasures_open),
        _model(facts.model, facts.people, facts.now_ms),
    ]


def _schema(schema: Mapping[str, Any]) -> Finding:
    fits = schema["current"] == schema["wanted"]
    found = f"version {schema['current']}" if fits else f"version {schema['current']}, wanted {schema['wanted']}"
    return Finding(
        "schema", fits, found, "" if fits else "Open the store once with this version; it migrates by itself."
    )


def _key_file(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    private = mode & 0o077 == 0
    advice = "" if private else f"Others can read it: chmod 600 {path}"
    return Finding("key file", private, f"{path}, mode {mode:03o}", advice)


def _api_keys(count: int) -> Finding:
    advice = "" if count else "No client can come in: `assent init` makes the first keys."
    return Finding("keys given out", well=True, found=str(count), advice=advice)


def _people(facts: StoreFacts) -> Finding:
    found = f"{facts.people:,} people, {facts.records:,} sealed records, {facts.decisions:,} decisions"
    advice = "" if facts.people else "Nobody yet: send events, or `assent import events FILE`."
    return Finding("held", well=True, found=found, advice=advice)


def _goods(items: int, unlisted: int) -> Finding:
    found = f"{items - unlisted:,} in the catalog, {unlisted:,} only seen in events"
    advice = ""
    if unlisted:
        advice = "Items only seen in events are counted, never suggested: `assent import items FILE` lists them."
    elif not items:
        advice = "Nothing can be suggested yet: `assent import items FILE`."
    return Finding("goods", well=True, found=found, advice=advice)


def _erasures(count: int) -> Finding:
    advice = "An erasure was interrupted; it goes on whenever the store is opened." if count else ""
    return Finding("erasures under way", count == 0, str(count), advice)


def _model(model: ModelFacts | None, people: int, now_ms: int) -> Finding:
    if model is None:
        advice = "`assent train` learns from all who agreed." if people else ""
        return Finding("model", well=True, found="nothing learned yet", advice=advice)
    days = (now_ms - model.at_ms) // DAY_MS
    found = f"version {model.version}, {model.people:,} people, {model.items:,} items, {moment(model.at_ms)}"
    advice = f"It is {days} days old: `assent train` adds what came since." if days > STALE_MODEL_DAYS else ""
    return Finding("model", well=True, found=found, advice=advice)
