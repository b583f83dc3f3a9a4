"""A real server in processes of its own, on a free loopback port: `start_server(url)`, then `.stop()`."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).parents[3]
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40


class Server:
    """One running server: where it is, and two ways to end it."""

    def __init__(self, url: str, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.url = url
        self.process = process
        self._errors = errors
        self._said = ""

    def stop(self) -> int:
        """Ask it to end, as an operator would, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(STOP_SECONDS_MAX)
        self._close()
        return code

    def kill(self) -> None:
        """End it and its workers at once, in the middle of whatever they do (SIGKILL)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS_MAX)
        self._close()

    def errors(self) -> str:
        """Return what it wrote to standard error, until now or until it ended."""
        if not self._errors.closed:
            self._errors.seek(0)
            self._said = self._errors.read()
        return self._said

    def _close(self) -> None:
        self.errors()
        self._errors.close()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(store: str, keys: str | None = None, *, workers: int = 1, host: str = "127.0.0.1") -> Server:
    """Start `python -m assent.web` on a store and return once it listens; its workers share its process group."""
    port = free_port()
    line = [sys.executable, "-m", "assent.web", "--store", store, "--host", host, "--port", str(port)]
    line += ["--workers", str(workers), *(["--keys", keys] if keys is not None else [])]
    errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - the server's, closed with it
    process = subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1"},
    )
    server = Server(f"http://127.0.0.1:{port}", process, errors)
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        said = process.stdout.readline() if ready else ""
        if said.startswith("assent listens at "):
            return server
        if not said:
            if process.poll() is None and not ready:
                server.kill()
            server.stop()
            raise RuntimeError(f"The server did not start: {server.errors()}")
