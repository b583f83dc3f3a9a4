"""What holds for every answer: headers, HEAD, methods, problems, and no word of anybody in a log."""

import logging

import pytest

from assent.terms.errors import Busy, StoreUnavailable
from assent.web.app import make_app
from assent.web.http.middleware import enclose
from assent.web.http.operation import methods_of
from assent.web.http.paths import PathNames
from tests.rooms.web.operations import EVERY
from tests.rooms.web.problems import CANARY
from tests.rooms.web.wire import run

ANSWERS = [("GET", "/health"), ("GET", "/nowhere"), ("POST", "/health"), ("POST", "/v1/track"), ("OPTIONS", "/health")]
NO_NAMES = PathNames(())


@pytest.mark.parametrize(
    ("method", "path"), [*ANSWERS, ("GET", "/v1/purposes"), ("PUT", "/v1/items"), ("POST", "/v1/decide")]
)
def test_every_answer_is_hardened(still_client, method, path):
    """Nothing may be loaded, framed, sniffed or told on, and errors are hardened like the rest."""
    headers = still_client.request(method, path).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers
    assert "set-cookie" not in headers


def test_only_https_asks_to_stay_https(still_client):
    """The header that pins HTTPS is sent over HTTPS alone."""
    assert "strict-transport-security" in still_client.get("https://testserver.local/health").headers


@pytest.mark.parametrize(
    "path", ["/health", "/openapi.json", "/.well-known/gpc.json", "/nowhere", "/v1/purposes", "/v1/track"]
)
def test_head_is_get_without_a_body(still_client, path):
    """Same status, same headers, same length told, nothing sent."""
    get, head = still_client.get(path), still_client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("path", sorted({each.path for each in EVERY}))
def test_a_method_that_a_route_does_not_take_is_told_which_it_does(still_client, path):
    """405 carries Allow, and OPTIONS carries the same."""
    real = path.replace("{id}", "x").replace("{key}", "x")
    allow = methods_of(EVERY, path)
    assert still_client.options(real).headers["allow"].split(", ") == allow
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - set(allow):
        answer = still_client.request(method, real)
        assert answer.status_code == 405
        assert answer.headers["allow"].split(", ") == allow
        assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/people", "/v1/unknown", "/schema", "/v1/people/ann/secret", "/v1/decide/x"]
)
def test_what_is_not_there_is_a_problem_detail(still_client, path):
    """404 has the one shape of every error."""
    answer = still_client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_fault_of_ours_tells_nothing(client, shop, monkeypatch, caplog):
    """An unexpected error is 500 without its text, and the log says what and where, not about whom."""

    def broken():
        raise RuntimeError(CANARY)

    monkeypatch.setattr(shop.engine.server, "health", broken)
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/health")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error"
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert "RuntimeError at test_middleware.py" in caplog.text


def test_a_fault_on_a_hot_route_tells_nothing_either(client, shop, monkeypatch, caplog):
    """The routes below the framework's own error handling answer in the same shape."""

    def broken(*_, **__):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(shop.engine.decisions, "submit", broken)
    answer = client.post("/v1/decide", json={}, headers=shop.key_of("server"))
    assert answer.status_code == 500
    assert CANARY not in answer.text + caplog.text


@pytest.mark.parametrize("error", [Busy("The queue is full."), StoreUnavailable("The disk is gone.")])
def test_what_may_be_tried_again_says_when(client, shop, monkeypatch, error):
    """503 carries Retry-After, so that clients come back."""

    def broken(*_, **__):
        raise error

    monkeypatch.setattr(shop.engine.events, "submit", broken)
    answer = client.post("/v1/batch", json={"batch": []}, headers=shop.key_of("browser"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_other_protocols_are_left_to_the_framework(still_client):
    """A WebSocket is refused, not answered as if it were a request."""
    from litestar.exceptions import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), still_client.websocket_connect("/health"):
        pass


def test_a_host_that_is_no_host_is_a_problem_detail(still_client):
    """What the framework refuses by itself has the one shape of every error."""
    answer = still_client.get("/health", headers={"Host": "no host/at all"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_answer_that_has_begun_is_not_begun_again(caplog):
    """A fault in the middle of an answer ends it; a second status line would be read as its body."""

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(CANARY)

    sent = run(enclose(inner, {}, NO_NAMES), [], "/health", "GET")
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert CANARY not in caplog.text


def test_a_client_that_goes_away_is_not_answered(shop):
    """A connection that ends in the middle of a body leaves nothing behind."""
    begun = {"type": "http.request", "body": b'{"batch"', "more_body": True}
    for path, method in (("/v1/batch", "POST"), ("/v1/items", "PUT")):
        key = [(b"authorization", f"Bearer {shop.keys['server']}".encode())]
        assert run(make_app(shop.engine), [begun, {"type": "http.disconnect"}], path, method, key) == []


@pytest.mark.parametrize(
    ("headers", "messages", "last"),
    [
        ([], [], False),
        ([(b"content-length", b"0")], [], False),
        ([(b"content-length", b"2")], [], True),
        ([(b"transfer-encoding", b"chunked")], [], True),
        ([(b"content-length", b"2")], [(b"{", True), (b"}", False)], False),
        ([(b"content-length", b"2")], [(b"{", True)], True),
    ],
)
def test_only_an_answer_before_the_end_of_the_body_ends_the_connection(headers, messages, last):
    """What was read whole, or has no body, leaves the connection to the next request."""

    async def inner(scope, receive, send):
        for _ in messages:
            await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    bodies = [{"type": "http.request", "body": body, "more_body": more} for body, more in messages]
    sent = run(enclose(inner, {}, NO_NAMES), bodies, headers=headers)
    assert ((b"connection", b"close") in sent[0]["headers"]) == last
