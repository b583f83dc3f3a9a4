"""Servers that start in a blink, from a process that has everything imported already; and that can be killed."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import httpx

from tests import processes
from tests.processes import HOST, free_port

START_SECONDS_MAX = 60
WARM = ["assent.engine", "assent.web.app", "granian.server.embed", "tests.journeys.keeper"]
#: A context whose processes start with everything imported already.
forkserver = partial(processes.forkserver, WARM)


def keep(store: str, port: int, training: bool) -> None:
    """Serve the store over HTTP, and train again and again if asked, until killed."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from assent.engine import Engine
    from assent.web.app import make_app

    engine = Engine.open(store, create=False)
    server = Server(make_app(engine), HOST, port, interface=Interfaces.ASGI, log_enabled=False)

    def train_on_and_on() -> None:
        for rebuild in itertools.cycle((False, True)):
            engine.train(rebuild=rebuild)
            threading.Event().wait(0.02)  # the server has work to do as well

    async def serve() -> None:
        if training:
            threading.Thread(target=train_on_and_on, daemon=True).start()
        await server.serve()

    asyncio.run(serve())


def erase(store: str, person: str, there: Connection) -> None:
    """Erase one person, saying when it begins and when it is done."""
    from assent.engine import Engine

    engine = Engine.open(store, create=False)
    there.send("asked")
    engine.erase(person)
    there.send("erased")


@dataclass(frozen=True)
class Kept:
    """A running server and where it is."""

    process: BaseProcess
    url: str

    def stop(self) -> None:
        """End it at once, in the middle of whatever it does (SIGKILL)."""
        self.process.kill()
        self.process.join()


def start(store: str, *, training: bool = False) -> Kept:
    """Start a server of the store on a free port and return once it answers."""
    port = free_port()
    process = forkserver().Process(target=keep, args=(store, port, training), daemon=True)
    process.start()
    kept = Kept(process, f"http://{HOST}:{port}")
    until = time.monotonic() + START_SECONDS_MAX
    while process.is_alive() and time.monotonic() < until:
        try:
            if httpx.get(f"{kept.url}/health", timeout=1).is_success:
                return kept
        except httpx.TransportError:
            time.sleep(0.005)
    kept.stop()
    raise RuntimeError("The server did not start.")
