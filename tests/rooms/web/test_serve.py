"""A real server: how it starts, refuses to start, is reached by real clients, and ends."""

import gzip
import json
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import suppress
from urllib.request import Request, urlopen

import httpx
import pytest

from assent.engine import Engine
from assent.terms.errors import Conflict, Forbidden, InvalidInput, StoreUnavailable
from assent.terms.limits import limit
from assent.web.__main__ import main
from assent.web.serve import serve
from tests.rooms.web.server import free_port, start_server

YES = {"consent": {"categoryPreferences": {"personalize": True, "learn": True}}}
CANARY = "zelda.canary@example.org"


@pytest.fixture
def served(store_url, tmp_path):
    """Return a store on each database in turn, its key file, and its keys by role."""
    key_file = str(tmp_path / "shop.key")
    with Engine.open(store_url, keys=key_file) as engine:
        keys = {role: engine.keys.make(role) for role in ("browser", "server", "monitor")}
    return store_url, key_file, keys


def client_of(server, **given):
    """Return a client of a running server, patient enough for a busy machine."""
    return httpx.Client(base_url=server.url, timeout=60, **given)


def exported(server, keys, person):
    """Return the events that a server holds on a person."""
    with client_of(server, headers={"Authorization": f"Bearer {keys['server']}"}) as client:
        held = client.get(f"/v1/people/{person}/export").raise_for_status().json()["events"]
    return [each["event"] for each in held]


def test_segments_own_client_sends_and_everything_arrives_once(served):
    """`segment-analytics-python` identifies, tracks, shows pages and sends batches, plain and gzip."""
    from segment.analytics.client import Client

    store, key_file, keys = served
    failed = []
    with start_server(store, key_file) as server:
        for packed in (False, True):
            client = Client(
                keys["browser"], host=server.url, gzip=packed, on_error=lambda error, _: failed.append(error)
            )
            person = f"seg-{packed}"
            client.identify(person, {"email": CANARY}, context=YES)
            client.track(person, "Product Viewed", {"product_id": "p1"}, context=YES)
            client.page(person, "Shop", "Kettle", context=YES)
            for number in range(250):
                client.track(person, "Product Viewed", {"product_id": f"p{number}"}, context=YES)
            client.track(person, "Product Viewed", {"product_id": "p1"}, context=YES, message_id="same")
            client.track(person, "Product Viewed", {"product_id": "p1"}, context=YES, message_id="same")
            client.flush()
            client.join()
            kinds = [event["type"] for event in exported(server, keys, person)]
            assert (kinds.count("identify"), kinds.count("page"), kinds.count("track")) == (1, 1, 252)
        assert server.stop() == 0
    assert failed == []
    assert CANARY not in server.errors()


def test_rudderstacks_own_client_sends_and_everything_arrives_once(served):
    """`rudder-sdk-python`, which takes exactly 200 for success and sends gzip, with its own form of consent."""
    from rudderstack.analytics.client import Client

    store, key_file, keys = served
    failed = []
    said = {"consentManagement": {"allowedConsentIds": ["personalize", "learn"], "deniedConsentIds": []}}
    with start_server(store, key_file) as server:
        client = Client(keys["browser"], host=server.url, on_error=lambda error, _: failed.append(error))
        client.identify("rudder", {"plan": "gold"}, context=dict(said))
        client.page("rudder", "Shop", "Kettle", context=dict(said))
        for number in range(250):
            client.track("rudder", "Product Viewed", {"product_id": f"p{number}"}, context=dict(said))
        client.flush()
        client.join()
        kinds = [event["type"] for event in exported(server, keys, "rudder")]
    assert failed == []
    assert (kinds.count("identify"), kinds.count("page"), kinds.count("track")) == (1, 1, 250)


def test_what_other_clients_send_is_taken_in(served):
    """RudderStack's Node client labels gzip JSON as a form; Segment's browser client sends text to the short paths."""
    store, key_file, keys = served
    event = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "p"}, "context": YES}
    with start_server(store, key_file) as server, client_of(server, auth=(keys["browser"], "")) as client:
        body = gzip.compress(json.dumps({"batch": [event | {"userId": "node", "messageId": "1"}]}).encode())
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/v1/batch", content=body, headers=form).status_code == 200
        text = {"Content-Type": "text/plain", "Origin": "https://shop.example"}
        body = json.dumps(event | {"userId": "browser", "messageId": "2"})
        assert client.post("/v1/t", content=body, headers=text).json() == {"success": True}
        assert len(exported(server, keys, "node")) == len(exported(server, keys, "browser")) == 1


def test_the_recorded_batches_of_segments_go_client_replay(served, shared_data):
    """Each recorded body is answered with 200, and since none of them carries consent nothing of them is kept."""
    store, key_file, keys = served
    bodies = [path.read_bytes() for path in sorted((shared_data / "segment-fixtures").glob("*.json"))]
    assert bodies
    with start_server(store, key_file) as server, client_of(server, auth=(keys["browser"], "")) as client:
        for body in bodies:
            answer = client.post("/v1/batch", content=body)
            assert (answer.status_code, answer.json()) == (200, {"success": True})
        client.auth = (keys["monitor"], "")
        result = client.get("/metrics").raise_for_status().text
    counted = {name: int(count) for name, count in re.findall(r'events_total{outcome="(\w+)"} (\d+)', result)}
    assert counted.pop("stored", 0) == 0
    assert sum(counted.values()) == sum(len(json.loads(body)["batch"]) for body in bodies)


def test_what_holds_in_process_holds_on_the_wire(shop):
    """HEAD, limits, percent-encoded names and pieces of a body, through a real socket."""
    with start_server(shop.url) as server, client_of(server, headers=shop.key_of("server")) as client:
        head = client.head("/openapi.json")
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(client.get("/openapi.json").content)
        assert client.get("/v1/items/item%200%2F0").json()["id"] == "item 0/0"
        assert client.put("/v1/items", content=b" " * 30_000_000).status_code == 413
        assert client.put("/v1/items", content=(b" " * 100_000 for _ in range(50))).status_code == 413
        assert client.put("/v1/items", content=(piece for piece in (b'[{"id":"piece"', b',"name":"P"}]'))).is_success
        assert client.request("BREW", "/health").headers["allow"] == "GET, HEAD, OPTIONS"
        assert "access-control-allow-origin" in client.options("/v1/batch").headers
        assert server.errors() == ""


def told_by(server, head, *pieces):
    """Send one request, and what it takes of its body, through a bare socket; return the answer up to the end."""
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=60) as line:
        line.sendall("\r\n".join([f"{head[0]} HTTP/1.1", "Host: x", *head[1:], "", ""]).encode())
        with suppress(ConnectionError):  # the server may have answered and closed before the last piece
            for piece in pieces:
                line.sendall(piece)
        answer = b""
        with suppress(ConnectionError):
            while part := line.recv(65_536):
                answer += part
    return answer.lower()


def test_an_answer_before_the_end_of_the_body_ends_the_connection(shop):
    """Each early answer says so, also while the client waits with the rest, and the connection is closed after it."""
    key = f"Authorization: Bearer {shop.keys['server']}"
    piece = b"%x\r\n" % 100_000 + b" " * 100_000 + b"\r\n"
    chunked, long = "Transfer-Encoding: chunked", f"Content-Length: {limit('body_bytes_max') + 1}"
    early = [
        (413, ("PUT /v1/items", key, chunked), [piece] * 50),
        (413, ("PUT /v1/items", key, long), []),
        (413, ("POST /v1/batch", key, chunked), [piece] * 50),
        (413, ("POST /v1/batch", key, "Expect: 100-continue", long), []),
        (401, ("PUT /v1/items", chunked), [piece]),
        (401, ("PUT /v1/items", "Content-Length: 10"), []),
        (403, ("PUT /v1/items", f"Authorization: Bearer {shop.keys['browser']}", "Content-Length: 10"), []),
        (404, ("PUT /nowhere", key, chunked), [piece]),
        (405, ("PUT /v1/batch", key, "Content-Length: 10"), []),
        (200, ("GET /health", "Content-Length: 10"), []),
        (400, ("PUT /v1/items", key, "Content-Length: ten"), []),
        (400, ("PUT /v1/items", key, "Content-Length: -1"), []),
    ]
    with start_server(shop.url) as server:
        for status, head, pieces in early:
            answer = told_by(server, head, *pieces)
            assert answer.startswith(b"http/1.1 %d " % status), (head, answer)
            assert answer.count(b"http/1.1 ") == answer.count(b"\r\nconnection: close\r\n") == 1, (head, answer)


def test_two_processes_serve_one_store(shop):
    """What one worker takes in, the other answers with; both end when told."""
    with start_server(shop.url, workers=2) as server:
        for number in range(20):
            with client_of(server, headers=shop.key_of("server")) as client:
                withdrawn = number % 2
                choices = {"withdraw" if withdrawn else "grant": ["personalize"]}
                assert client.put("/v1/people/ann/consent", json=choices).status_code == 200
            with client_of(server, headers=shop.key_of("server")) as client:
                result = client.get("/v1/people/ann/consent").json()["purposes"]["personalize"]
                assert result["allowed"] == (not withdrawn)
        assert server.stop() == 0


def test_a_server_that_is_told_to_stop_finishes_what_it_has(shop):
    """What was acknowledged is in the file after a clean stop, and the file is whole."""
    event = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "late",
        "properties": {"product_id": "p"},
        "context": YES,
    }
    with start_server(shop.url) as server:
        sent = httpx.post(f"{server.url}/v1/track", json=event, headers=shop.key_of("browser"), timeout=60)
        assert sent.status_code == 200
        assert server.stop() == 0
    with sqlite3.connect(shop.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert len(shop.engine.export("late").events) == 1


def test_no_worker_outlives_the_process_that_started_it(shop):
    """When the first process is killed, nothing is left that answers."""
    server = start_server(shop.url)
    server.process.kill()
    server.process.wait(10)
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""  # the end comes when the last process has let go
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health")
    server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_needs_keys(tmp_path, sqlite_template, host):
    """Whoever could reach it from outside would need no key, so it does not start."""
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    Engine.open(store).close()
    with pytest.raises(Forbidden, match="no keys"):
        serve(store, host=host, port=free_port())


def test_a_public_address_is_served_once_there_are_keys(shop):
    """With keys in the store every address will do."""
    with start_server(shop.url, host="0.0.0.0") as server:
        assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200


def test_a_taken_port_is_refused(shop):
    """Two servers never share a port without knowing."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(Conflict, match="is taken"):
            serve(shop.url, port=holder.getsockname()[1])


def test_a_host_that_is_nowhere_is_refused(shop):
    """A name that is no address is said so."""
    with pytest.raises(InvalidInput):
        serve(shop.url, host="no such host")


def test_a_store_that_is_not_there_is_refused(tmp_path, capsys):
    """The server makes no store of its own; the command says what to do and ends with 1."""
    store = f"sqlite:///{tmp_path / 'none.db'}"
    with pytest.raises(StoreUnavailable):
        serve(store)
    assert main(["--store", store]) == 1
    assert "assent" in capsys.readouterr().err


def test_the_command_explains_itself():
    """`python -m assent.web --help` names every option."""
    result = subprocess.run([sys.executable, "-m", "assent.web", "--help"], capture_output=True, text=True, check=True)
    for option in ("--store", "--keys", "--host", "--port", "--workers"):
        assert option in result.stdout


def test_a_slow_reader_holds_nobody_up(shop):
    """A connection that sends half a request does not keep others from being answered."""
    with start_server(shop.url) as server:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with socket.create_connection(address) as slow:
            slow.sendall(b"PUT /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
            with urlopen(Request(f"{server.url}/health"), timeout=60) as answer:
                assert answer.status == 200
