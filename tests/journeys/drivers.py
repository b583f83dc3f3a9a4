"""One small interface, three ways through the house: Python, the command line, HTTP; all answer with JSON values.

And what journeys do with a way, whichever it is: fill a shop, and send to it on and on.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
from click.testing import CliRunner

from assent.cli.app import main
from assent.cli.screen import plain
from assent.engine import Engine
from assent.terms.errors import AssentError
from tests.journeys import keeper
from tests.journeys.shop import GOODS, crowd

Json = dict[str, Any]


class Failed(Exception):
    """An act that the house refused; `code` is the same on every surface."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Driver(ABC):
    """The acts of a shop on one store, as one surface offers them."""

    @abstractmethod
    def put_items(self, goods: Sequence[Json]) -> None: ...

    @abstractmethod
    def send(self, events: Sequence[Json]) -> None: ...

    @abstractmethod
    def train(self, *, rebuild: bool = False) -> Json: ...

    @abstractmethod
    def consent(self, person: str, *, grant: Sequence[str] = (), withdraw: Sequence[str] = ()) -> list[Json]: ...

    @abstractmethod
    def consents(self, person: str) -> Json: ...

    @abstractmethod
    def decide(self, person: str | None = None, *, gpc: bool = False, **question: Any) -> Json: ...

    @abstractmethod
    def export(self, person: str) -> Json: ...

    @abstractmethod
    def erase(self, person: str) -> Json: ...

    @abstractmethod
    def verify(self, certificate: Json | None = None, *, rebuild: bool = False) -> Json: ...

    @abstractmethod
    def close(self) -> None: ...


class PythonDriver(Driver):
    """The library in one's own program."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine.open(f"sqlite:///{folder / 'shop.db'}")

    def _plain(self, act: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return plain(act(*arguments, **named))
        except AssentError as error:
            raise Failed(error.code) from error

    def put_items(self, goods: Sequence[Json]) -> None:
        self._plain(self.engine.put_items, goods)

    def send(self, events: Sequence[Json]) -> None:
        self._plain(self.engine.take_in, events)

    def train(self, *, rebuild: bool = False) -> Json:
        return self._plain(self.engine.train, rebuild=rebuild)

    def consent(self, person: str, *, grant: Sequence[str] = (), withdraw: Sequence[str] = ()) -> list[Json]:
        return self._plain(self.engine.consent, person, grant=grant, withdraw=withdraw)

    def consents(self, person: str) -> Json:
        return self._plain(self.engine.people.consents, person)

    def decide(self, person: str | None = None, *, gpc: bool = False, **question: Any) -> Json:
        return self._plain(self.engine.decide, person, gpc=gpc, **question)

    def export(self, person: str) -> Json:
        return self._plain(self.engine.export, person)

    def erase(self, person: str) -> Json:
        return self._plain(self.engine.erase, person)

    def verify(self, certificate: Json | None = None, *, rebuild: bool = False) -> Json:
        if certificate is not None:
            return self._plain(self.engine.people.verify_certificate, certificate)
        return self._plain(self.engine.verify, rebuild=rebuild)

    def close(self) -> None:
        self.engine.close()


class CommandDriver(Driver):
    """The commands, one after the other, each opening the store anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.surroundings = {"ASSENT_STORE": f"sqlite:///{folder / 'shop.db'}"}
        self.made = self.run("init")
        self.files = 0

    def run(self, *line: str, codes: Sequence[int] = (0,)) -> Any:
        """Run one command with `--json` and return what it printed; raises `Failed` with the code it told."""
        told = CliRunner().invoke(main, [*line, "--json"], env=self.surroundings, catch_exceptions=False)
        if told.exit_code not in codes:
            raise Failed(json.loads(told.stderr)["error"]["code"])
        return json.loads(told.stdout)

    def _file(self, rows: Sequence[Json] | Json, ending: str) -> str:
        """Write rows as NDJSON (or one object as JSON) into a new file and return its name."""
        self.files += 1
        path = self.folder / f"file-{self.files}.{ending}"
        lines = [json.dumps(row) for row in ([rows] if isinstance(rows, Mapping) else rows)]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    def put_items(self, goods: Sequence[Json]) -> None:
        self.run("import", "items", self._file(goods, "ndjson"))

    def send(self, events: Sequence[Json]) -> None:
        """Import the events as a file: an operator states, line by line, what the person agreed to."""
        rows = [_line(event) | {"agreed_to": self._stated(event)} for event in events]
        self.run("import", "events", self._file(rows, "ndjson"), "--consent-column", "agreed_to")

    def _stated(self, event: Json) -> str:
        """Return the purposes that the event's banner says yes to; without a banner, those that the ledger holds."""
        consent = event["context"].get("consent")
        if consent is not None:
            return ",".join(purpose for purpose, agreed in consent["categoryPreferences"].items() if agreed)
        try:
            purposes = self.consents(event["userId"])["purposes"]
        except Failed:
            return ""
        return ",".join(purpose for purpose, state in purposes.items() if state["allowed"] and state.get("receipt"))

    def train(self, *, rebuild: bool = False) -> Json:
        return self.run("train", *(["--rebuild"] if rebuild else []))

    def consent(self, person: str, *, grant: Sequence[str] = (), withdraw: Sequence[str] = ()) -> list[Json]:
        line = ["consent", person]
        line += ["--grant", ",".join(grant)] if grant else []
        line += ["--withdraw", ",".join(withdraw)] if withdraw else []
        return self.run(*line)["receipts"]

    def consents(self, person: str) -> Json:
        return self.run("consent", person)

    def decide(self, person: str | None = None, *, gpc: bool = False, **question: Any) -> Json:
        line = ["decide", *([person] if person is not None else []), *(["--gpc"] if gpc else [])]
        for name, value in question.items():
            match name, value:
                case "context", {"item": item}:
                    line += ["--item", item]
                case "exclude", items:
                    line += ["--exclude", ",".join(items)]
                case "include_bought", True:
                    line += ["--include-bought"]
                case _:
                    line += [f"--{name}", str(value)]
        return self.run(*line)

    def export(self, person: str) -> Json:
        return self.run("export", person)

    def erase(self, person: str) -> Json:
        return self.run("erase", person, "--yes")

    def verify(self, certificate: Json | None = None, *, rebuild: bool = False) -> Json:
        line = ["verify", *(["--rebuild"] if rebuild else [])]
        if certificate is not None:
            line.append(self._file(certificate, "json"))
        return self.run(*line, codes=(0, 1))

    def close(self) -> None:
        """Nothing stays open between commands."""


class HttpDriver(Driver):
    """A server on loopback; training and proof, which no route offers, come from the command line beside it.

    The server is started from a warm process; `ServedDriver` starts it as an operator would.
    """

    def __init__(self, folder: Path) -> None:
        self.beside = CommandDriver(folder)
        self.server = self.start(self.beside.surroundings["ASSENT_STORE"])
        self.client = httpx.Client(
            base_url=self.server.url, headers={"Authorization": f"Bearer {self.beside.made['server_key']}"}
        )

    @staticmethod
    def start(store: str) -> Any:
        """Start a server of the store; it has `.url` and `.stop()`."""
        return keeper.start(store)

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **sent: Any) -> Any:
        """Send one request and return its JSON; raises `Failed` with the code of the problem detail."""
        answer = self.client.request(method, path, headers=headers, **sent)
        if answer.is_error:
            raise Failed(answer.json()["code"])
        return answer.json()

    def put_items(self, goods: Sequence[Json]) -> None:
        self.ask("PUT", "/v1/items", json=goods)

    def send(self, events: Sequence[Json]) -> None:
        self.ask("POST", "/v1/batch", json={"batch": events})

    def train(self, *, rebuild: bool = False) -> Json:
        return self.beside.train(rebuild=rebuild)

    def consent(self, person: str, *, grant: Sequence[str] = (), withdraw: Sequence[str] = ()) -> list[Json]:
        choices = {"grant": list(grant), "withdraw": list(withdraw)}
        return self.ask("PUT", f"/v1/people/{quote(person, safe='')}/consent", json=choices)["receipts"]

    def consents(self, person: str) -> Json:
        return self.ask("GET", f"/v1/people/{quote(person, safe='')}/consent")

    def decide(self, person: str | None = None, *, gpc: bool = False, **question: Any) -> Json:
        sent = {**question, **({"person": person} if person is not None else {})}
        return self.ask("POST", "/v1/decide", json=sent, headers={"Sec-GPC": "1"} if gpc else None)

    def export(self, person: str) -> Json:
        return self.ask("GET", f"/v1/people/{quote(person, safe='')}/export")

    def erase(self, person: str) -> Json:
        return self.ask("DELETE", f"/v1/people/{quote(person, safe='')}")

    def verify(self, certificate: Json | None = None, *, rebuild: bool = False) -> Json:
        return self.beside.verify(certificate, rebuild=rebuild)

    def close(self) -> None:
        self.client.close()
        self.server.stop()


class ServedDriver(HttpDriver):
    """The server as `assent serve` runs it: a process of its own, with its worker."""

    @staticmethod
    def start(store: str) -> Any:
        """Start `python -m assent.web` on the store."""
        from tests.rooms.web.server import start_server

        return start_server(store)


def _line(event: Json) -> Json:
    """Return one event as a line of a flat file."""
    product = event["properties"].get("products", [event["properties"]])[0]
    return {
        "user_id": event["userId"],
        "event": event["event"],
        "timestamp": event["timestamp"],
        "message_id": event["messageId"],
        "order_id": event["properties"].get("order_id"),
        **product,
    }


DRIVERS: dict[str, type[Driver]] = {"python": PythonDriver, "command": CommandDriver, "http": HttpDriver}


def filled(driver: Driver) -> Driver:
    """Fill the shop with goods and a crowd."""
    driver.put_items(GOODS)
    driver.send(crowd())
    return driver


@contextmanager
def opened(kind: Callable[[Path], Driver], folder: Path) -> Iterator[Driver]:
    """Open a shop behind a surface, with goods and a crowd; close it whatever happens."""
    with closing(kind(folder)) as driver:
        yield filled(driver)


class Sending:
    """A client that has sent once when it is entered and goes on sending until it is left.

    `number` is of the next event: each time of sending has ten numbers to itself.
    """

    def __init__(self, send: Callable[[int], object], first: int) -> None:
        self.send, self.number = send, first
        self._over, self._sent = threading.Event(), threading.Event()

    def _on(self) -> None:
        while not self._over.is_set():
            self.send(self.number)
            self._sent.set()
            self.number += 10

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1)
        self._ending = self._thread.submit(self._on)
        if not self._sent.wait(10):
            self.__exit__()
            raise AssertionError("Nothing was sent.")
        return self

    def again(self) -> None:
        """Wait until it has sent once more."""
        self._sent.clear()
        assert self._sent.wait(10)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.shutdown()
        self._ending.result()
