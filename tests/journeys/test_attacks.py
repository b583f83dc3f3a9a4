"""What clients can really see and do: the lists of a running shop, deliveries that come too late, bytes left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from litestar.testing import TestClient

from assent.engine import Engine
from assent.learn import MODEL
from assent.models.recommender import Recommender
from assent.store.topics import people, records, sums
from assent.sums import PairSum
from assent.terms.clock import to_text
from assent.terms.ids import identifiers_named
from assent.testing import FixedClock
from assent.web.app import make_app
from tests.insides import model_of
from tests.journeys.drivers import HttpDriver, PythonDriver, Sending, opened
from tests.journeys.shop import BOTH, GARDEN, GOODS, TEA, ana, crowd, views
from tests.rooms.models import attacks
from tests.tables import sum_rows

Json = dict[str, Any]

#: How many people the shop has, how many of them leave under the attacker's eyes, and how long lists are asked for.
PEOPLE, LEAVERS, LENGTH = 200, 3, 50
#: The length that nobody has to ask for, and how much of a leaver's items lists of it may name, on average.
USUAL, NAMED_MAX = 10, 0.96
#: The number of an event of this hour: newer than any withdrawal that went before it.
RECENTLY = 2 * 24 * 60 + 10
#: How old an act is, in days, so that it counts 1 to 4.
AGES = {4: 0, 3: 50, 2: 120, 1: 240}


@dataclass
class Watched:
    """An open shop whose people are known to the test, and what an outsider asks of it."""

    engine: Engine
    held: dict[str, list[int]]

    def lists(self, ask: Callable[[str], Sequence[Json]], step: int = 1) -> np.ndarray:
        """Return the list beside every `step`-th item, -1 from where it is filled up with what is popular."""
        shown = np.full((attacks.ITEMS, LENGTH), -1)
        for item in range(0, attacks.ITEMS, step):
            told = [int(each["item"]) for each in ask(str(item)) if each["because"]]
            shown[item, : len(told)] = told
        return shown

    def similar(self, item: str) -> list[Json]:
        """Ask for the list beside an item, in the program itself."""
        return [
            {"item": each.item, "because": [{"share_percent": reason.share_percent} for reason in each.because]}
            for each in self.engine.catalog.similar(item, LENGTH)
        ]

    def total(self) -> PairSum:
        """Return the sum that is kept inside."""
        return model_of(self.engine).sum.copy()


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    """Open a shop of 200 people who agreed to everything, trained."""
    clock = FixedClock()
    made = attacks.shop(PEOPLE, 1)
    path = tmp_path_factory.mktemp("watched") / "shop.db"
    with Engine.open(f"sqlite:///{path}", clock=clock) as engine:
        engine.put_items([{"id": str(item), "name": f"Item {item}"} for item in range(attacks.ITEMS)])
        held, events = {}, []
        for number, person in enumerate(made.people):
            name = f"person-{number}"
            held[name] = person.items.tolist()
            days = [AGES[int(value)] for value in person.values]
            events += [acted(name, item, age, clock) for item, age in zip(held[name], days, strict=True)]
        for start in range(0, len(events), 2_000):
            engine.take_in(events[start : start + 2_000])
        engine.train()
        yield Watched(engine, held)


def acted(name: str, item: int, days_ago: int, clock: FixedClock) -> Json:
    """Return one look at an item, some days ago."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": name,
        "messageId": f"{name}-{item}",
        "timestamp": to_text(clock.now_ms() - days_ago * 86_400_000),
        "properties": {"product_id": str(item)},
        "context": {"consent": {"categoryPreferences": BOTH}},
    }


def test_lists_are_what_the_attacks_are_measured_on(watched):
    """What a running shop shows beside its items is what the attacks on the model alone look at."""
    shown = watched.lists(watched.similar)
    measured = attacks.lists_shown(Recommender.of_sum(watched.total()), LENGTH)
    assert (shown == measured).mean() > 0.99
    shares = {
        reason["share_percent"] for item in ("3", "77") for each in watched.similar(item) for reason in each["because"]
    }
    assert shares == {100}


def test_shares_are_what_the_attacks_are_measured_on(watched):
    """An account with one item reads on a page the shares, in steps, that the attacks on the model alone look at."""
    mine, page = 0, int(np.argsort(-watched.total().counts)[0])
    watched.engine.consent("spy", grant=["personalize"])
    watched.engine.take_in([acted("spy", mine, 0, FixedClock())])
    decision = watched.engine.decide("spy", count=100, context={"item": str(page)})
    told = {
        int(each.item): sum(reason.share_percent for reason in each.because if reason.item == str(page)) / 100
        for each in decision.items
        if each.because and each.item != str(mine)
    }
    measured = attacks.shares_shown(Recommender.of_sum(watched.total()), mine)[page]
    assert len(told) > 20
    assert {reason.share_percent % 5 for each in decision.items for reason in each.because} == {0}
    assert all(abs(measured[item] - share) < 0.051 for item, share in told.items())
    watched.engine.erase("spy")


def test_a_leaver_seen_from_inside_and_outside(watched):
    """One after the other leaves: exact weights name each one's items whole, lists most of them, a guess a few."""
    named, usual, guessed = [], [], []
    after = watched.lists(watched.similar)
    for name in list(watched.held)[5 : 5 + LEAVERS]:
        held = watched.held.pop(name)
        before, whole, counts = after, attacks.cells(watched.total()), watched.total().counts
        told = people_told(watched.engine)
        watched.engine.erase(name)
        exact = attacks.sum_from(attacks.weights_of(Recommender.of_sum(watched.total(), **attacks.INNER)))
        assert np.array_equal(np.flatnonzero(np.diagonal(whole - exact)), held)
        after = watched.lists(watched.similar)
        for length, right in ((LENGTH, named), (USUAL, usual)):
            found = attacks.items_of_leaver(before[:, :length], after[:, :length], counts, len(held))
            right.append(np.isin(found, held).mean())
        guessed.append(np.isin(np.argsort(-counts, kind="stable")[: len(held)], held).mean())
        assert told - people_told(watched.engine) in {0, 1}
    means = [float(np.mean(each)) for each in (guessed, usual, named)]
    print(f"a leaver's items, from a running shop of {PEOPLE}:", *(f"{each:.3f}" for each in means))
    assert means[0] < means[1] <= NAMED_MAX


def people_told(engine: Engine) -> int:
    """Return how many people an answer says the model was made from."""
    used = " ".join(engine.decide(count=1).used)
    return int(re.search(r"what ([\d,]+) people", used)[1].replace(",", ""))


def test_the_same_over_http(watched):
    """Over HTTP the lists are the same, hold no number that is not whole, and need the key of a server."""
    server, browser = (watched.engine.keys.make(role) for role in ("server", "browser"))
    with TestClient(make_app(watched.engine)) as client:
        path = f"/v1/items/{{}}/similar?count={LENGTH}"
        for key, code in ((None, 401), (browser, 403), (server, 200)):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            assert client.get(path.format(3), headers=headers).status_code == code

        def ask(item: str) -> list[Json]:
            answer = client.get(path.format(item), headers={"Authorization": f"Bearer {server}"}).json()
            assert not list(fractions(answer))
            return answer["items"]

        before = watched.lists(watched.similar)
        name = list(watched.held)[20]
        held, counts = watched.held.pop(name), watched.total().counts
        assert client.delete(f"/v1/people/{name}", headers={"Authorization": f"Bearer {server}"}).status_code == 200
        after = watched.lists(ask)
        assert np.array_equal(after[::15], watched.lists(watched.similar, 15)[::15])
        found = attacks.items_of_leaver(before[:, :USUAL], after[:, :USUAL], counts, len(held))
        print(f"a leaver's items, over HTTP: {np.isin(found, held).mean():.3f}")
        decision = client.post("/v1/decide", json={"count": 20}, headers={"Authorization": f"Bearer {server}"}).json()
        assert not list(fractions(decision))


def fractions(value: Any) -> Iterator[float]:
    """Yield every number in an answer that is not whole."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from fractions(each)
    elif isinstance(value, float):
        yield value


# -- too late --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PythonDriver, HttpDriver])
def test_events_during_and_after_a_withdrawal_add_nothing(kind, tmp_path):
    """A client that goes on sending, also what it sent before, while somebody withdraws and after: zero is added."""
    with opened(kind, tmp_path) as driver:
        without = driver.train()
        driver.send(ana())
        assert driver.train()["people"] == without["people"] + 1

        def send(number: int) -> None:
            driver.send([*ana(), *views("ana", GARDEN[:3], BOTH, first=number)])

        with Sending(send, RECENTLY) as sending:
            driver.consent("ana", withdraw=["learn"])
            for _ in range(2):
                sending.again()
        driver.send(views("ana", TEA, BOTH, first=sending.number))
        driver.send(ana())
        assert not driver.consents("ana")["purposes"]["learn"]["allowed"]
        for rebuild in (False, True):
            report = driver.train(rebuild=rebuild)
            assert (report["people"], report["digest"]) == (without["people"], without["digest"])
        assert driver.verify(rebuild=True)["holds"]


# -- left behind -----------------------------------------------------------------------------------------------------


def bytes_of(engine: Engine, name: str) -> dict[str, bytes]:
    """Return what of a person lies in the files: key, sealed records, history, contribution, and rows with them in."""
    with engine._rooms.store.read() as session:
        row = people.load(session, engine._rooms.vault.blinds(identifiers_named(name)))
        assert row is not None
        held = {"key": row.wrapped, "contribution": sums.contribution(session, MODEL, row.person)}
        for record in records.of(session, row.person):
            held[f"record {record.seq}"] = record.sealed
            held[f"trail {record.seq}"] = record.trail
        folded = records.history(session, row.person)
        held["history"] = None if folded is None else folded.sealed
    return {what: content for what, content in held.items() if content is not None}


def left_in(folder: Path, contents: dict[str, bytes]) -> set[str]:
    """Return which contents stand, in whole or in a piece of 16 bytes, in some file of a folder."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        what
        for what, content in contents.items()
        for start in range(0, max(len(content) - 15, 1), 16)
        if any(content[start : start + 16] in file for file in files)
    }


@pytest.mark.parametrize("leave", ["erase", "withdraw"])
def test_nothing_sealed_stays_behind_in_any_file(tmp_path, leave):
    """Bytes that tell of a person under their key, and rows of the sum that have them in, are in no file afterwards."""
    with Engine.open(f"sqlite:///{tmp_path / 'shop.db'}") as engine:
        engine.put_items(GOODS)
        engine.take_in(crowd())
        engine.train()
        engine.take_in(ana())
        engine.train()
        with engine._rooms.store.read() as session:
            before = sum_rows(session, MODEL, range(len(GOODS)))
        contents = bytes_of(engine, "ana")
        if leave == "erase":
            engine.erase("ana")
        else:
            found = left_in(tmp_path, contents)
            assert found == set(contents)
            engine.consent("ana", withdraw=["learn", "personalize"])
            contents.pop("key")
        with engine._rooms.store.read() as session:
            after = sum_rows(session, MODEL, range(len(GOODS)))
        changed = [item for item in before if before[item] != after[item]]
        assert changed
        rows = {f"row {item}": before[item] for item in changed}
        if leave == "erase":
            assert left_in(tmp_path, contents) == set()
            assert whole_in(tmp_path, rows) == set()
    assert left_in(tmp_path, contents) == set()
    assert whole_in(tmp_path, rows) == set()


def whole_in(folder: Path, contents: dict[str, bytes]) -> set[str]:
    """Return which contents stand whole in some file of a folder."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return {what for what, content in contents.items() if any(content in file for file in files)}
