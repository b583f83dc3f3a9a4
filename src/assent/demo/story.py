"""The story of the show, act by act: every figure comes from the engine, nothing is staged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from assent.demo.shop import Shop
from assent.terms.answers.server import ModelFacts
from assent.terms.errors import NotFound
from assent.terms.events import ACTION_BY_EVENT
from assent.terms.sentences import sentence

if TYPE_CHECKING:
    from assent.engine import Engine
    from assent.terms.answers.decisions import Decision
    from assent.terms.answers.models import TrainReport
    from assent.terms.answers.people import Certificate
    from assent.terms.answers.proofs import Verification

COUNT = 10
LATEST_SHOWN = 4
#: What the made shop's browsers send along with every event, and a sign by which it would be found again.
UNASKED = {"their network address": "203.0.113.7", "the query of the page's address": "ref=friend"}

#: Shows that something runs; the words say what.
Busy = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Act 1: what came in, what was stored, and what was refused for which reason."""

    shop: Shop


@dataclass(frozen=True, slots=True)
class Learned:
    """Act 2: what was learned, from whom."""

    report: TrainReport


@dataclass(frozen=True, slots=True)
class Held:
    """Act 3: the data about one person, read from their export."""

    person: str
    events: int
    #: What they did last, newest first: day, act, item.
    latest: Sequence[tuple[str, str, str]]
    agreed_to: Sequence[str]
    #: Data that their browser sent unasked, and True where the export has it.
    kept_unasked: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """One person's list at one moment: why it was asked, the answer, and what changed since the list before."""

    person: str
    moment: str
    decision: Decision
    #: Places (from 1) whose item is another than in the list before; None for the first list.
    changed_places: Sequence[int] | None
    digest_before: str
    digest: str
    people_learned_from: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Erased:
    """One person's leaving: the certificate, the sum before and after, the time, and the result of a search."""

    person: str
    certificate: Certificate
    checked: Verification
    digest_before: str
    digest_after: str
    people_before: int
    people_after: int
    seconds: float
    #: What an export, a decision and a search of the files find afterwards.
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Others:
    """The effect of one person's leaving on those who stay."""

    person: str
    before: Decision
    after: Decision
    changed_places: Sequence[int]
    compared: int
    with_changes: int


@dataclass(frozen=True, slots=True)
class Proved:
    """The last act: the log and the sum, checked, with the sum added up anew from everyone who is left."""

    found: Verification
    seconds: float


Act = Arrivals | Learned | Held | Asked | Erased | Others | Proved


@dataclass(slots=True)
class Stage:
    """The things that acts share: engine, shop, a search through the store's files, and the lists seen so far."""

    engine: Engine
    shop: Shop
    busy: Busy
    search: Callable[[str], int]
    seen: dict[str, list[str]] = field(default_factory=dict)

    def ask(self, person: str) -> Decision:
        """Ask for one person's list."""
        return self.engine.decide(person, slot="home", count=COUNT)

    def model(self) -> ModelFacts:
        """Return version, people and digest of the sum as the store holds it."""
        return self.engine.server.facts().model or ModelFacts(version=0, people=0, items=0, digest="", at_ms=0)


def tell(stage: Stage) -> Iterator[Act]:
    """Play the story on a filled shop, act after act."""
    engine, shop = stage.engine, stage.shop
    yield Arrivals(shop)
    with stage.busy("Learning"):
        report = engine.train()
    yield Learned(report)
    yield _held(stage, shop.leaver)
    neighbour_before = stage.ask(shop.neighbour)
    crowd_before = [_items(stage.ask(person)) for person in shop.crowd]
    yield _asked(stage, "at first", lambda: None)
    yield _asked(stage, "after withdrawing `learn`", lambda: engine.consent(shop.leaver, withdraw=["learn"]))
    yield _asked(
        stage, "after withdrawing `personalize`", lambda: engine.consent(shop.leaver, withdraw=["personalize"])
    )
    yield _erased(stage, shop.leaver)
    neighbour_after = stage.ask(shop.neighbour)
    with stage.busy("Comparing lists"):
        crowd_after = [_items(stage.ask(person)) for person in shop.crowd]
    yield Others(
        shop.neighbour,
        neighbour_before,
        neighbour_after,
        _changed(_items(neighbour_before), _items(neighbour_after)),
        len(shop.crowd),
        sum(before != after for before, after in zip(crowd_before, crowd_after, strict=True)),
    )
    yield _erased(stage, shop.second_leaver)
    with stage.busy("Adding everybody up anew"):
        started = perf_counter()
        found = engine.verify(rebuild=True)
    yield Proved(found, perf_counter() - started)


def _held(stage: Stage, person: str) -> Held:
    """Export one person and read what matters out of it."""
    export = stage.engine.export(person)
    everything = json.dumps(asdict(export))
    return Held(
        person=person,
        events=len(export.events),
        latest=[_history_line(stage, entry) for entry in reversed(export.history[-LATEST_SHOWN:])],
        agreed_to=[purpose for purpose, state in export.consents.purposes.items() if state.receipt],
        kept_unasked={what: sign in everything for what, sign in UNASKED.items() if stage.shop.source == "made"},
    )


def _history_line(stage: Stage, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    action = sentence(f"action.{ACTION_BY_EVENT[entry['action']].name}")
    return entry["day"], action, stage.engine.catalog.get(entry["item"]).name


def _asked(stage: Stage, moment: str, act: Callable[[], object]) -> Asked:
    """Do something, ask for the leaver's list, and compare it with the list before."""
    before = stage.model()
    started = perf_counter()
    act()
    seconds = perf_counter() - started
    decision = stage.ask(stage.shop.leaver)
    items, last = _items(decision), stage.seen.get(stage.shop.leaver)
    stage.seen[stage.shop.leaver] = items
    after = stage.model()
    return Asked(
        person=stage.shop.leaver,
        moment=moment,
        decision=decision,
        changed_places=None if last is None else _changed(last, items),
        digest_before=before.digest,
        digest=after.digest,
        people_learned_from=after.people,
        seconds=seconds,
    )


def _erased(stage: Stage, person: str) -> Erased:
    """Erase one person, check the certificate, and look for what is left."""
    before = stage.model()
    started = perf_counter()
    certificate = stage.engine.erase(person)
    seconds = perf_counter() - started
    after = stage.model()
    checked = stage.engine.people.verify_certificate(
        {"body": certificate.body, "signature": certificate.signature, "public_key": certificate.public_key}
    )
    return Erased(
        person=person,
        certificate=certificate,
        checked=checked,
        digest_before=before.digest,
        digest_after=after.digest,
        people_before=before.people,
        people_after=after.people,
        seconds=seconds,
        left=_left(stage, person),
    )


def _left(stage: Stage, person: str) -> dict[str, str]:
    """Look for a person in three ways: an export, a list, and a search through every byte of the files."""
    try:
        stage.engine.export(person)
        export = "something is still held"
    except NotFound:
        export = "nobody is known by that name"
    decision = stage.ask(person)
    files = stage.search(person)
    return {
        "export": export,
        "list": "from their own history" if decision.personal else "the same as for a stranger",
        "files": f"their name stands in them {files} times",
    }


def _items(decision: Decision) -> list[str]:
    return [each.item for each in decision.items]


def _changed(before: Sequence[str], after: Sequence[str]) -> list[int]:
    """Return the places, from 1, at which two lists show different items."""
    longest = max(len(before), len(after))
    padded = [(*each, *[""] * (longest - len(each))) for each in (before, after)]
    return [place for place, (old, new) in enumerate(zip(*padded, strict=True), start=1) if old != new]
