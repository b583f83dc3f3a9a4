"""The server as a process of its own: its default address, and the command line that starts it."""

from __future__ import annotations

import sys
from pathlib import Path

HOST_DEFAULT, PORT_DEFAULT = "127.0.0.1", 8787


def server_line(store: str, keys: Path | None, host: str, port: int, workers: int) -> list[str]:
    """Return the command line that runs the server in the foreground."""
    line = [sys.executable, "-m", "assent.web", "--store", store, "--host", host, "--port", str(port)]
    line += ["--workers", str(workers)]
    return line + (["--keys", str(keys)] if keys is not None else [])
