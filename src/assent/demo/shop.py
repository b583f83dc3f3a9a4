"""The shop of the demo, made from a seed or read from the Online Retail file, and taken in as a real shop's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from assent.demo.goods import all_goods
from assent.demo.people import ANSWERS, Shopper, all_shoppers, events_of
from assent.terms.clock import to_text

if TYPE_CHECKING:
    from assent.engine import Engine

SEED = 2026
PEOPLE = 2_000
BATCH_EVENTS = 500
GRANT = ("personalize", "learn")
EVIDENCE = "Stated by whoever started the demo; the file itself holds no consent."
#: People whose lists are compared before and after one person leaves.
CROWD_COMPARED = 200


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """One row of what came in: who sent it, how many people and events, and what became of the events."""

    who: str
    people: int
    events: int
    stored: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shop:
    """A filled shop: what came in, and the names of the people in the story."""

    source: str
    items: int
    rows: Sequence[ArrivalRow]
    seconds: float
    #: Who withdraws, purpose by purpose, and is then erased.
    leaver: str
    #: Whose list is watched while others leave.
    neighbour: str
    #: Who is erased all at once.
    second_leaver: str
    crowd: Sequence[str] = field(default_factory=tuple)


def fill_made(engine: Engine, now_ms: int, progress: Callable[[int, int], None]) -> Shop:
    """Put 500 goods in and send everything that 2,000 made people did, batch by batch as tracking clients do."""
    started = perf_counter()
    goods = all_goods()
    engine.put_items([good.as_item() for good in goods])
    shoppers = all_shoppers(goods, PEOPLE, SEED)
    rows: list[ArrivalRow] = []
    first: list[dict[str, Any]] = []
    for answer in ANSWERS:
        group = [shopper for shopper in shoppers if shopper.answer is answer]
        events = [event for shopper in group for event in events_of(shopper, goods, now_ms, SEED)]
        first = first or events
        rows.append(_send(engine, answer.label, len(group), events, gpc=answer.gpc))
        progress(sum(row.people for row in rows), len(shoppers))
    rows.append(_send(engine, "a batch sent twice", 0, first[:BATCH_EVENTS]))
    rows.append(_send(engine, "broken clients", 0, _broken(first, now_ms)))
    leaver, neighbour, second_leaver = (shopper.user_id for shopper in shoppers[:3])
    crowd = [shopper.user_id for shopper in shoppers[3:] if _shown(shopper)][:CROWD_COMPARED]
    seconds = perf_counter() - started
    return Shop("made", len(goods), rows, seconds, leaver, neighbour, second_leaver, crowd)


def fill_from(engine: Engine, path: Path, cast: tuple[str, str, str], progress: Callable[[int, int], None]) -> Shop:
    """Import the Online Retail file under a consent that is stated for the show; every line is accounted for."""
    done = engine.imports.run("online-retail", path, grant=GRANT, evidence=EVIDENCE, progress=progress)
    table = dict(done.table)
    stored = table.pop("imported", 0)
    facts = engine.server.facts()
    rows = [ArrivalRow("lines of the file", facts.people, done.lines, stored, table)]
    return Shop(path.name, facts.items, rows, done.seconds, *cast)


def _shown(shopper: Shopper) -> bool:
    return (
        shopper.answer.preferences is not None and shopper.answer.preferences["personalize"] and not shopper.answer.gpc
    )


def _send(engine: Engine, who: str, people: int, events: Sequence[dict[str, Any]], *, gpc: bool = False) -> ArrivalRow:
    """Send events in batches and add up what the engine answered."""
    stored, refused = 0, Counter[str]()
    waiting = iter(events)
    while batch := list(islice(waiting, BATCH_EVENTS)):
        answer = engine.take_in(batch, gpc=gpc)
        stored += answer.stored
        refused.update(answer.dropped)
    return ArrivalRow(who, people, len(events), stored, dict(refused))


def _broken(events: Sequence[dict[str, Any]], now_ms: int) -> list[dict[str, Any]]:
    """Return events as broken clients send them: no person named, a clock ten days ahead, an event without a name."""

    def altered(number: int, changes: Mapping[str, Any], without: str = "") -> dict[str, Any]:
        event = {**events[number], **changes, "messageId": f"broken-{number}"}
        event.pop(without, None)
        return event

    def made() -> Iterator[dict[str, Any]]:
        for number in range(4):
            yield altered(number, {}, "userId")
            yield altered(number + 4, {"timestamp": to_text(now_ms + 10 * 86_400_000)})
            yield altered(number + 8, {}, "event")

    return list(made())
