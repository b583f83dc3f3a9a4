"""Server processes share one solved model, change over to the next without dropping a question, and keep nobody."""

from __future__ import annotations

import itertools
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from assent.engine import Engine
from tests.journeys import dying, keeper
from tests.journeys.shop import BOTH, views
from tests.rooms.web.server import Server, start_server

ITEMS = 1_200
CLIENTS = 6
WAIT_SECONDS_MAX = 60
#: retire, unlink and sync; retire again; acknowledge; publish, write, rename and sync.
STEPS_MIN = 9
#: What only the person who leaves ever looked at, one after the other.
PAGE, TRACE = "ware-901", "ware-900"


def ware(*numbers: int) -> list[str]:
    return [f"ware-{number}" for number in numbers]


def files_of(store: Path) -> list[Path]:
    """Return the model files, finished or not."""
    return sorted(each for each in store.with_name(f"{store.name}.models").glob("*") if each.suffix != ".lock")


def version_of(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with a trained model over so many goods that its file is worth sharing."""
    path = tmp_path / "shop.db"
    with Engine.open(str(path)) as engine:
        engine.put_items([{"id": name, "name": name, "price": 5.0} for name in ware(*range(ITEMS))])
        events = []
        for number in range(60):
            events += views(f"crowd-{number}", ware(1, 2 + number % 3, 10 + number % 40, 60 + number), BOTH)
        engine.take_in(events)
        engine.take_in(views("leaver", [PAGE, TRACE], BOTH))
        engine.train()
    return path


class Hammer:
    """Clients that ask as fast as they can until told to stop; every answer is kept with the moment it was asked."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self.headers = server, {"Authorization": f"Bearer {key}"}
        self.over = threading.Event()
        self.answers: list[tuple[float, int, list[str]]] = []

    def ask_on(self) -> None:
        with httpx.Client(base_url=self.server.url, headers=self.headers, timeout=WAIT_SECONDS_MAX) as client:
            for page in itertools.cycle(("ware-1", PAGE)):
                if self.over.is_set():
                    return
                asked = time.monotonic()
                answer = client.post("/v1/decide", json={"context": {"item": page}, "count": 5})
                items = [each["item"] for each in answer.json()["items"]] if answer.is_success else []
                self.answers.append((asked, answer.status_code, items))

    def __enter__(self) -> Self:
        self.threads = ThreadPoolExecutor(CLIENTS)
        self.futures = [self.threads.submit(self.ask_on) for _ in range(CLIENTS)]
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.threads.shutdown()
        for future in self.futures:
            future.result()


def workers_of(server: Server) -> list[int]:
    """Return the processes that answer."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if mapped(int(pid)) != []]


def mapped(pid: int) -> list[dict[str, Any]]:
    """Return the model files that a process maps, with the kilobytes of each kind of page."""
    found: list[dict[str, Any]] = []
    for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{pid}/smaps").read_text(), flags=re.MULTILINE):
        name = re.search(r"(recommender-\d+\.model\S*( \(deleted\))?)$", block.partition("\n")[0])
        if name:
            pages = {kind: int(size) for kind, size in re.findall(r"^(\w+): +(\d+) kB$", block, re.MULTILINE)}
            found.append({"file": name[1], **pages})
    return found


def wait_until_all_map(server: Server, count: int, name: str) -> list[int]:
    """Wait until so many processes map the file of that name and no other; return them."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < until:
        workers = workers_of(server)
        told = [{each["file"] for each in mapped(pid)} for pid in workers]
        if told == [{name}] * count:
            return workers
        time.sleep(0.05)
    raise AssertionError(f"The processes map {told}, not {name}.")


def shared_with(server: Server, path: Path) -> bool:
    """Tell whether both processes map the file, whole, and neither has a page of its own of it."""
    told = [mapped(pid)[0] for pid in wait_until_all_map(server, 2, path.name)]
    return all(
        pages["Rss"] * 1024 > ITEMS * ITEMS * 4
        and pages["Private_Dirty"] == 0
        and pages["Shared_Clean"] + pages["Shared_Dirty"] > 0.9 * pages["Rss"]
        for pages in told
    )


def next_file(store: Path, version: int) -> Path:
    """Wait for the one file of a version newer than `version`."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < until:
        found = files_of(store)
        if len(found) == 1 and found[0].suffix == ".model" and version_of(found[0]) > version:
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"There is no newer file than version {version}.")


def test_two_processes_change_over_without_dropping_a_question_and_keep_nobody(store: Path):
    """While clients hammer two server processes: trainings are taken over by both, every question is answered, the
    file's pages are shared and never copied; and once an erasure is acknowledged no answer holds a trace of it.
    """
    with Engine.open(str(store)) as engine:
        key = engine.keys.make("server")
    with start_server(str(store), workers=2) as server:
        with Hammer(server, key) as hammer:
            for round_number in (1, 2):
                with Engine.open(str(store)) as engine:
                    for number in range(8):
                        events = views(f"new-{round_number}-{number}", ware(1, 800 + round_number), BOTH)
                        engine.take_in(events)
                    version = engine.train().version
                (path,) = files_of(store)
                assert version_of(path) == version
                assert shared_with(server, path)
            asked = time.monotonic()
            with httpx.Client(base_url=server.url, headers=hammer.headers, timeout=WAIT_SECONDS_MAX) as client:
                client.delete("/v1/people/leaver").raise_for_status()
            acknowledged = time.monotonic()
            assert path not in files_of(store)
            renewed = next_file(store, version)
            assert shared_with(server, renewed)
            began = len(hammer.answers)
            while len(hammer.answers) < began + 20:
                time.sleep(0.02)
        assert {status for _, status, _ in hammer.answers} == {200}
        assert any("ware-802" in items for when, _, items in hammer.answers if when > asked)
        assert any(TRACE in items for when, _, items in hammer.answers if when < asked)
        assert not [items for when, _, items in hammer.answers if when > acknowledged and TRACE in items]
        # Nobody asks any more: both let go of whoever leaves all the same.
        with Engine.open(str(store)) as engine:
            engine.erase("crowd-1")
        last = next_file(store, version_of(renewed))
        assert shared_with(server, last)
    content = last.read_bytes()
    assert not [canary for canary in (b"leaver", b"crowd-", b"ware-") if canary in content]


def test_killed_at_any_step_no_file_keeps_who_left(store: Path):
    """An erasure dies at each step around a model file: the file with the person is gone once it was acknowledged, and
    in any case once the store is opened again; nothing unfinished stays.
    """
    kills = 0
    for point in range(100):
        person = f"dying-{point}"
        with Engine.open(str(store)) as engine:
            engine.take_in(views(person, ware(1, 5, 500 + point), BOTH))
            with_them = engine.train().version
        assert [version_of(each) for each in files_of(store)] == [with_them]
        here, there = keeper.forkserver().Pipe()
        process = keeper.forkserver().Process(target=dying.erase, args=(str(store), person, point, there), daemon=True)
        process.start()
        there.close()
        process.join(WAIT_SECONDS_MAX)
        told = []
        while here.poll():
            try:
                told.append(here.recv())
            except EOFError:
                break
        here.close()
        if "erased" in told:
            assert with_them not in [version_of(each) for each in files_of(store)]
        with Engine.open(str(store)) as engine:
            assert all(each.suffix == ".model" and version_of(each) > with_them for each in files_of(store))
            assert engine.server.facts().erasures_open == 0
            assert engine.verify(rebuild=True).holds
        if "settled" in told:
            break
        kills += 1
    assert kills > STEPS_MIN
