"""The server of the demo."""

import shlex
import socket
import sys

import pytest

from assent.demo.server import Served, free_port, server_process, wait_for
from assent.terms.errors import Conflict
from tests.processes import HOST

#: A server that takes connections and does nothing else.
LISTEN = (
    "import socket, sys, time; s = socket.socket(); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(); s.accept()"
)


@pytest.fixture(autouse=True)
def own_signals(monkeypatch):
    """Leave this process's answer to a request to stop as it is."""
    monkeypatch.setattr("assent.demo.server.signal.signal", lambda *_: None)


def test_a_busy_port_gives_way_to_a_free_one():
    """The wanted port is taken when it is free, else another is."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port(HOST, port)
    assert other != port
    assert free_port(HOST, other) == other


def test_a_server_is_waited_for_and_ended():
    """It takes connections after the wait, and is gone after the block."""
    port = free_port(HOST, 0)
    with server_process([sys.executable, "-c", LISTEN, HOST, str(port)]) as server:
        wait_for(server, HOST, port)
    assert server.poll() is not None


def test_a_server_that_does_not_start_is_an_error_with_advice():
    """One that ends at once is not waited for, and the advice says where to look."""
    with server_process([sys.executable, "-c", "raise SystemExit(1)"]) as server, pytest.raises(Conflict) as caught:
        wait_for(server, HOST, free_port(HOST, 0))
    assert "assent serve --port" in caught.value.advice


def test_the_line_to_try_is_one_command_of_a_shell():
    """The curl line carries key and person, quoted so that a shell takes it as it stands."""
    words = shlex.split(Served.at("http://127.0.0.1:1", "server_ab", "mira-0000").curl)
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:1/v1/decide"]
    assert "Authorization: Bearer server_ab" in words
    assert words[-1] == '{"person": "mira-0000", "count": 3}'
