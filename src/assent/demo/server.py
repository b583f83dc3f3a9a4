"""The server of the demo: a free port, a process that is ended with the demo, and things to try on it."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep

from assent.terms.errors import Conflict
from assent.terms.limits import limit


@dataclass(frozen=True, slots=True)
class Served:
    """Things to try on a served shop: addresses to open, and one line for a shell, with its key."""

    urls: Sequence[str]
    curl: str

    @classmethod
    def at(cls, url: str, key: str, person: str) -> Served:
        """Return the things to try on the server at `url`, with decisions for `person`."""
        curl = (
            f"curl -s {url}/v1/decide -H 'Authorization: Bearer {key}' "
            f'-H \'Content-Type: application/json\' -d \'{{"person": "{person}", "count": 3}}\''
        )
        return cls((f"{url}/health", f"{url}/openapi.json", f"{url}/.well-known/gpc.json"), curl)


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port when it is free, else one that is; raises `Conflict` when none is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Conflict("No port is free on this machine.", advice="Close some servers and start the demo again.")


@contextmanager
def server_process(line: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command line of a server, and end it at the end; a request to stop from outside ends both."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = subprocess.Popen(line, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter and module
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def wait_for(server: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Wait until a server takes connections; raises `Conflict` when it does not come up."""
    until = monotonic() + limit("demo_start_seconds_max")
    while server.poll() is None and monotonic() < until:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((host, port)) == 0:
                return
        sleep(0.05)
    raise Conflict("The server did not start.", advice=f"See what `assent serve --port {port}` says.")
