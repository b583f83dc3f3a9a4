"""`assent serve`: a command that hands over to another process."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from assent.cli.server_line import server_line
from tests.processes import free_port


def test_the_server_is_the_web_rooms_own():
    """The command line names store, address, workers, and the key file only when it is named."""
    line = server_line("sqlite:///a.db", None, "127.0.0.1", 8787, 2)
    assert line[:3] == [sys.executable, "-m", "assent.web"]
    assert "--keys" not in line
    assert server_line("sqlite:///a.db", Path("k"), "127.0.0.1", 8787, 1)[-2:] == ["--keys", "k"]


def test_serve_answers_until_it_is_told_to_stop(tmp_path):
    """A served store answers at the address that was printed; a request to stop ends it with 0."""
    port = free_port()
    program = [sys.executable, "-m", "assent.cli"]
    subprocess.run([*program, "init"], cwd=tmp_path, check=True, capture_output=True)
    server = subprocess.Popen(
        [*program, "serve", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        until = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < until:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/health").json()["status"] == "ok"
                break
            except httpx.TransportError:
                time.sleep(0.05)
        else:
            pytest.fail(server.communicate()[1])
    finally:
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=60)
    assert server.returncode == 0, out + err
    assert "Traceback" not in err
