"""Killed at any point, nothing acknowledged is lost and nobody erased comes back."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from assent.cli.screen import plain
from assent.engine import Engine
from assent.terms.errors import NotFound
from tests.journeys import keeper
from tests.journeys.drivers import Failed, HttpDriver, PythonDriver, Sending, opened
from tests.journeys.shop import BOTH, GARDEN, GOODS, TEA, ana, crowd, views

KILLS = 100
#: A server is killed after so many acknowledged batches, or erasures, at most, and so long after the last of them.
BATCHES_MAX, ERASURES_MAX = 5, 1
#: More would only make the shop large and the test long.
BATCHES_SENT_MAX = 8
AFTERWARDS_SECONDS_MAX = 0.03
ANSWER_SECONDS_MAX = 60
#: What a client meets whose server was killed, or which was closed itself between two requests.
GONE = (httpx.TransportError, RuntimeError)


@dataclass
class Told:
    """What the clients were told, and what they never heard back about."""

    #: Person -> how many of their events were acknowledged.
    stored: dict[str, int] = field(default_factory=dict)
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Erasures that were asked for and never answered: done or not, but never half.
    unanswered: set[str] = field(default_factory=set)
    #: Released once for every acknowledged batch, and erasure.
    batches: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    erasures: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


def take_in_until_killed(client: httpx.Client, told: Told, round_number: int) -> None:
    """Send one person's events after the other; remember what was acknowledged."""
    for number in range(BATCHES_SENT_MAX):
        person = f"p-{round_number}-{number}"
        events = views(person, (TEA, GARDEN)[number % 2][: 2 + number % 4], BOTH)
        try:
            answer = client.post("/v1/batch", json={"batch": events})
        except GONE:
            return
        assert answer.status_code == 200, answer.text
        told.stored[person] = len(events)
        told.batches.release()


def erase_until_killed(client: httpx.Client, told: Told, draw: random.Random) -> None:
    """Erase one acknowledged person after the other; remember the certificates."""
    while True:
        standing = [each for each in list(told.stored) if each not in told.certificates and each not in told.unanswered]
        if not standing:
            time.sleep(0.001)
            if client.is_closed:
                return
            continue
        person = draw.choice(standing)
        told.unanswered.add(person)
        try:
            answer = client.delete(f"/v1/people/{person}")
        except GONE:
            return
        assert answer.status_code == 200, answer.text
        told.certificates[person] = answer.json()
        told.unanswered.discard(person)
        told.erasures.release()


def live_and_die(store: str, key: str, told: Told, round_number: int, draw: random.Random) -> None:
    """Start a server, let two clients and a training loop work on it, and kill it at a random moment."""
    server = keeper.start(store, training=True)
    headers = {"Authorization": f"Bearer {key}"}
    told.batches, told.erasures = threading.Semaphore(0), threading.Semaphore(0)
    heard, count = draw.choice([(told.batches, BATCHES_MAX), (told.erasures, ERASURES_MAX)])
    clients = [httpx.Client(base_url=server.url, headers=headers, timeout=ANSWER_SECONDS_MAX) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        intake = threads.submit(take_in_until_killed, clients[0], told, round_number)
        erasing = threads.submit(erase_until_killed, clients[1], told, random.Random(draw.random()))
        for _ in range(draw.randint(0, count)):
            assert heard.acquire(timeout=ANSWER_SECONDS_MAX)
        threading.Event().wait(draw.uniform(0, AFTERWARDS_SECONDS_MAX))
        server.stop()
        for client in clients:
            client.close()
        intake.result()
        erasing.result()


def assert_kept(store: str, told: Told, people: list[str]) -> None:
    """Open the store as after a restart and look whether what was told still holds for these people."""
    with Engine.open(store, create=False) as engine:
        for person in people:
            if person in told.certificates:
                with pytest.raises(NotFound):
                    engine.export(person)
            elif person not in told.unanswered:
                assert len(engine.export(person).events) == told.stored[person], person


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path, seed):
    """The server is killed at 100 random points of intake, training and erasure: every acknowledged event and every
    acknowledged erasure holds after the restart, no erasure is left half done, and sum and log verify.
    """
    draw = random.Random(seed)
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with Engine.open(store) as engine:
        engine.put_items(GOODS)
        engine.take_in(crowd())
        key = engine.keys.make("server")
    told = Told()
    for round_number in range(KILLS):
        before = set(told.stored) | set(told.certificates)
        live_and_die(store, key, told, round_number, draw)
        fresh = [person for person in told.stored if person not in before]
        assert_kept(store, told, fresh + draw.sample(sorted(before), min(5, len(before))))
    assert_kept(store, told, list(told.stored))
    assert len(told.stored) > KILLS // 2
    assert len(told.certificates) > KILLS // 10
    with Engine.open(store, create=False) as engine:
        assert engine.server.facts().erasures_open == 0
        half = [person for person in told.unanswered if not whole_or_gone(engine, person, told.stored[person])]
        assert half == []
        assert all(engine.people.verify_certificate(each).holds for each in told.certificates.values())
        changed = engine.train()
        assert engine.train(rebuild=True).digest == changed.digest
        found = engine.verify(rebuild=True)
        assert found.holds, found


def whole_or_gone(engine: Engine, person: str, stored: int) -> bool:
    """Tell whether a person is all there or not at all."""
    try:
        return len(engine.export(person).events) == stored
    except NotFound:
        return True


@pytest.fixture
def seed():
    """Choose a seed, and print it so that a failure can be played again."""
    chosen = random.SystemRandom().randrange(2**32)
    print(f"seed {chosen}")
    return chosen


@pytest.mark.parametrize("kind", [PythonDriver, HttpDriver])
def test_two_erasures_at_once_leave_nothing(kind, tmp_path):
    """Two erasures of one person at the same moment: at least one certificate, and nobody left."""
    with opened(kind, tmp_path) as driver:
        without = driver.train()["digest"]
        for attempt in range(5):
            driver.consent("ana", grant=["personalize", "learn"])
            driver.send(views("ana", TEA[:3], BOTH, first=100 * attempt))
            driver.train()
            start = threading.Barrier(2)

            def erase(start=start):
                start.wait()
                try:
                    return driver.erase("ana")
                except Failed as failed:
                    return failed.code

            with ThreadPoolExecutor(2) as threads:
                answers = [future.result() for future in [threads.submit(erase) for _ in range(2)]]
            certificates = [answer for answer in answers if isinstance(answer, dict)]
            assert certificates
            assert {answer for answer in answers if isinstance(answer, str)} <= {"not_found", "conflict"}
            assert all(driver.verify(certificate)["holds"] for certificate in certificates)
            with pytest.raises(Failed, match="not_found"):
                driver.export("ana")
        assert driver.train()["digest"] == without
        assert driver.verify(rebuild=True)["holds"]


@pytest.mark.parametrize("kind", [PythonDriver, HttpDriver])
def test_events_during_and_after_an_erasure_bring_nothing_back(kind, tmp_path):
    """A client that goes on sending while its person is erased, and afterwards, brings nothing back."""
    with opened(kind, tmp_path) as driver:
        without = driver.train()["digest"]
        driver.send(ana())
        driver.train()
        with Sending(lambda number: driver.send(views("ana", GARDEN[:3], BOTH, first=number)), 1_000) as sending:
            certificate = driver.erase("ana")
            sending.again()
        driver.send(views("ana", TEA, BOTH, first=sending.number))
        with pytest.raises(Failed, match="not_found"):
            driver.export("ana")
        assert driver.verify(certificate)["holds"]
        assert driver.train()["digest"] == without
        assert driver.verify(rebuild=True)["holds"]


def test_two_erase_commands_at_once_leave_nothing(tmp_path):
    """Two `assent erase` processes at the same moment: at least one certificate, and nobody left."""
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with Engine.open(store) as engine:
        engine.put_items(GOODS)
        engine.take_in(crowd() + ana())
        engine.train()
    line = [sys.executable, "-m", "assent.cli", "erase", "ana", "--yes", "--json", "--store", store]
    both = [
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in both]
    assert 0 in {process.returncode for process in both}, answers
    assert all("Traceback" not in err for _, err in answers)
    with Engine.open(store, create=False) as engine:
        with pytest.raises(NotFound):
            engine.export("ana")
        assert plain(engine.verify(rebuild=True))["holds"]


def test_an_erasure_cut_short_is_finished_by_the_next_opening(tmp_path, seed):
    """Whoever opens the store after a kill in the middle of an erasure finds the person gone, not half there."""
    draw = random.Random(seed)
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with Engine.open(store) as engine:
        engine.put_items(GOODS)
        engine.take_in(crowd())
    for number in range(10):
        person = f"cut-{number}"
        with Engine.open(store, create=False) as engine:
            engine.take_in(views(person, TEA, BOTH))
            engine.train()
        here, there = keeper.forkserver().Pipe()
        process = keeper.forkserver().Process(target=keeper.erase, args=(store, person, there), daemon=True)
        process.start()
        assert here.recv() == "asked"
        threading.Event().wait(draw.uniform(0, 0.02))
        process.kill()
        process.join()
        acknowledged = here.poll() and here.recv() == "erased"
        with Engine.open(store, create=False) as engine:
            assert engine.server.facts().erasures_open == 0
            if acknowledged:
                with pytest.raises(NotFound):
                    engine.export(person)
            assert whole_or_gone(engine, person, len(TEA))
            assert engine.verify(rebuild=True).holds
        here.close()
        there.close()
