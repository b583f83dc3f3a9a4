"""The server: granian's processes, each with an engine of its own, until a signal stops them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from functools import partial
from ipaddress import ip_address
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from assent.engine import Engine
from assent.terms.errors import AssentError, Conflict, Forbidden, InvalidInput
from assent.terms.limits import limit
from assent.terms.settings import Settings
from assent.web.app import make_app

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from litestar import Litestar

HOST, PORT = "127.0.0.1", 8787
#: Longest time that a thread computes before the event loop gets the interpreter's lock. Python's 5 ms would delay
#: each piece of a body by so much.
SWITCH_SECONDS = 0.001
#: New containers before the garbage collector runs: a batch of 500 events makes about 5,000.
GARBAGE_OBJECTS = 20_000

_PR_SET_PDEATHSIG = 1
_RETRY_SECONDS = 0.01
_RELOAD_SECONDS = 1.0
#: The server's own warnings and errors go to standard error; no request is ever logged.
_LOG = {
    "handlers": {
        "console": {"formatter": "generic", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"class": "logging.NullHandler"},
    }
}


def serve(
    store: str = "shop.db",
    keys: Path | str | None = None,
    host: str = HOST,
    port: int = PORT,
    workers: int = 1,
    settings: Settings | None = None,
) -> None:
    """Serve a store over HTTP until SIGINT or SIGTERM, then finish what was begun and close.

    Each of the `workers` processes opens the store itself. Prints where it listens once it does. Raises `Forbidden` for
    an address that others can reach while the store has no keys, `Conflict` for a port in use, `InvalidInput` for a
    host that is no address of this machine, and the errors of `Engine.open`.
    """
    settings = settings or Settings.from_environment()
    address = _address_of(host)
    with Engine.open(store, keys=keys, settings=settings, create=False) as engine:
        if not ip_address(address).is_loopback and not engine.keys.any():
            raise Forbidden(
                "This address can be reached from outside, and the store has no keys that could guard it.",
                advice="Make a key first (`assent init`), or listen at 127.0.0.1.",
            )
    _check_free(address, port)
    announced = get_context().Event()
    server = Server(
        "assent",
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        respawn_failed_workers=True,
        workers_kill_timeout=limit("server_stop_seconds_max"),
        log_level=LogLevels.warning,
        log_dictconfig=_LOG,
    )
    loader = partial(load_app, store, keys, settings, (address, port), announced, os.getpid())
    server.serve(target_loader=loader, wrap_loader=False)


def load_app(
    store: str,
    keys: Path | str | None,
    settings: Settings,
    listens: tuple[str, int],
    announced: Event,
    parent: int,
) -> Litestar:
    """Open the engine of one process, load what the first answer needs, and build the application over it."""
    _end_with(parent)
    sys.setswitchinterval(SWITCH_SECONDS)
    engine = Engine.open(store, keys=keys, settings=settings, create=False)
    _relax_garbage_collector()
    engine.server.warm()
    app = make_app(engine, cors_origins=[each.strip() for each in settings.cors_origins.split(",")])
    tasks: set[asyncio.Task[None]] = set()

    async def begin() -> None:
        tasks.update(map(asyncio.create_task, (_announce(listens, announced), _reload(engine))))

    async def end() -> None:
        for task in tasks:
            task.cancel()

    app.on_startup.append(begin)
    app.on_shutdown.extend([end, engine.close])
    return app


def _relax_garbage_collector() -> None:
    """Exclude the loaded program from garbage collection, and collect less often while batches are read."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 50)


async def _announce(listens: tuple[str, int], announced: Event) -> None:
    """Print the address as soon as the server accepts a connection; one process prints it for all."""
    while not announced.is_set():
        try:
            _, writer = await asyncio.open_connection(*listens)
        except OSError:
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        writer.close()
        announced.set()
        print(f"assent listens at http://{_shown(*listens)}", flush=True)  # noqa: T201 - what an operator waits for


async def _reload(engine: Engine) -> None:
    """Load what other processes trained or erased, even without requests, so that no old model stays in memory."""
    while True:
        await asyncio.sleep(_RELOAD_SECONDS)
        with contextlib.suppress(AssentError):  # the next question raises it again
            await asyncio.get_running_loop().run_in_executor(None, engine.server.warm)


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _address_of(host: str) -> str:
    """Return the address of a host name."""
    try:
        found: tuple[Any, ...] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4]
    except OSError:
        raise InvalidInput("The host is no address of this machine.", advice="Use 127.0.0.1, or 0.0.0.0.") from None
    return str(found[0])


def _check_free(address: str, port: int) -> None:
    """Refuse a port that another server has: granian shares ports between processes, so both servers would answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise Conflict(
                f"Port {port} is taken, or may not be used.",
                advice="Name another with --port, or stop the server that has it.",
            ) from None


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent is gone (Linux), so that no process is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
