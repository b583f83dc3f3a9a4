"""Bad input on every route: each a clear problem detail, nothing stored, nothing echoed."""

import asyncio

import pytest

from assent.terms.limits import limit
from assent.web.app import make_app
from assent.web.http.requests import read_body
from tests.rooms.web.operations import EVERY
from tests.rooms.web.problems import CANARY, check_problem
from tests.rooms.web.wire import run

DEEP = b"[" * 100_000
READERS = [each for each in EVERY if each.body is not None and each.name != "client_metrics"]


def send(client, shop, operation, body, **headers):
    """Send raw bytes to one operation with a key that may."""
    path = operation.path.replace("{id}", "ann")
    return client.request(operation.method, path, content=body, headers=shop.key_of("server") | headers)


@pytest.mark.parametrize("operation", READERS, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\x00", b"\xff\xfe{}", b'{"a": "\xff"}', b'{"a":' * 10_000, DEEP, b"null", b"17", b'"text"', b"{} {}"],
    ids=["empty", "cut", "zero", "no utf-8", "bad text", "deep", "deeper", "null", "number", "text", "two"],
)
def test_what_is_no_json_of_the_right_kind_is_refused(still_client, still, operation, body):
    """Malformed, truncated, deeply nested, not UTF-8, or another kind of value: 400."""
    if operation.name == "put_items" and body == b"{} {}":
        body = b"{} {}\n"  # two items on one line
    check_problem(send(still_client, still, operation, body), 400)


def test_depth_where_nobody_looks_is_refused_too(still_client, still):
    """Fields that are not read may not nest without end either."""
    deep = b'{"context": {"unread": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    check_problem(still_client.post("/v1/decide", content=deep, headers=still.key_of("server")), 400)


@pytest.mark.parametrize("operation", [each for each in EVERY if each.body is not None], ids=lambda each: each.name)
def test_a_body_over_the_limit_is_not_read(still_client, still, operation):
    """One byte more than the limit, and a length that is announced: 413."""
    check_problem(send(still_client, still, operation, b" " * (limit("body_bytes_max") + 1)), 413)

    def pieces():
        yield from (b" " * 1_048_576 for _ in range(6))

    check_problem(send(still_client, still, operation, pieces()), 413)


@pytest.mark.parametrize(
    "query",
    ["count=0", "count=-1", "count=1001", "count=x", "count=", "count=1&count=2", f"{CANARY}=1", "%ff=1", "count=1.5"],
)
@pytest.mark.parametrize("path", ["/v1/items", "/v1/items/item%200%2F0/similar"])
def test_a_bad_query_is_refused(still_client, still, path, query):
    """Zero, negative, huge, mistyped, repeated and unknown fields: 400."""
    check_problem(still_client.get(f"{path}?{query}", headers=still.key_of("server")), 400)
    many = "&".join(f"f{number}=1" for number in range(40))
    check_problem(still_client.get(f"{path}?{many}", headers=still.key_of("server")), 400)


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch, shop):
    """A client that stops in the middle holds its place for a bounded time."""
    monkeypatch.setattr("assent.web.http.requests.limit", lambda name: 0.01 if name == "body_seconds_max" else 100)
    begun = {"type": "http.request", "body": b'{"batch"', "more_body": True}
    sent = run(make_app(shop.engine), [begun])
    assert sent[0]["status"] == 400


def test_a_body_in_pieces_is_put_together():
    """Pieces arrive in order, the last one ends the body."""
    pieces = [b'{"a"', b": ", b"1}"]
    messages = [{"type": "http.request", "body": piece, "more_body": piece != b"1}"} for piece in pieces]

    async def receive():
        return messages.pop(0)

    assert asyncio.run(read_body({"headers": []}, receive)) == b'{"a": 1}'
