"""Bad input on every route: each a clear problem detail, nothing stored, nothing echoed."""

import gzip
import json

import pytest

from assent.terms.limits import limit
from assent.web.table import OPERATIONS

CANARY = "Zelda.Canary@example.org"
DEEP = b"[" * 100_000
SPREAD = b'{"batch":[{"x":' + b'{"y":' * 200 + b"1" + b"}" * 200 + b"}]}"
BOMB = gzip.compress(b'{"batch":[' + b" " * 40_000_000 + b"]}")
PUT_CONSENT = "/v1/people/ann/consent"
READERS = [each for each in OPERATIONS if each.body is not None and each.body != "anything"]


def check_problem(answer, status):
    """Assert that an answer is a problem detail of a status, with advice, that repeats nothing of what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["type"] == f"urn:assent:error:{told['code']}"
    assert told["title"]
    assert told["detail"]
    assert told["advice"]
    assert CANARY.lower() not in answer.text.lower()


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


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.body is not None], ids=lambda each: each.name
)
def test_a_body_over_the_limit_is_not_read(still_client, still, operation):
    """One byte more than the limit, and a length that is announced: 413."""
    check_problem(send(still_client, still, operation, b" " * (limit("body_bytes_max") + 1)), 413)

    def pieces():
        yield from (b" " * 1_048_576 for _ in range(6))

    check_problem(send(still_client, still, operation, pieces()), 413)


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/track"])
def test_a_gzip_bomb_does_not_go_off(still_client, still, path):
    """What would inflate past the limit is refused."""
    key = still.key_of("browser")
    check_problem(still_client.post(path, content=BOMB, headers=key | {"Content-Encoding": "gzip"}), 413)
    check_problem(still_client.post(path, content=BOMB[:-20], headers=key), 413)
    check_problem(still_client.post(path, content=gzip.compress(b"{}")[:-6], headers=key), 400)
    check_problem(still_client.post(path, content=b"{}", headers=key | {"Content-Encoding": "br"}), 400)


def test_a_bomb_without_a_key_does_not_go_off_either(still_client):
    """Looking for a write key in a body has the same bounds."""
    check_problem(still_client.post("/v1/batch", content=BOMB), 413)


def test_a_batch_with_too_many_events_is_refused_whole(still_client, still):
    """Segment's own limit: 2,500 events."""
    batch = {"batch": [{}] * (limit("batch_events_max") + 1)}
    check_problem(still_client.post("/v1/batch", json=batch, headers=still.key_of("browser")), 413)


def test_bad_events_of_a_batch_do_not_harm_the_others(client, shop):
    """Too large, too deep, of another type, of nobody, from the future: dropped and counted; the good one is kept."""
    good = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "bob",
        "properties": {"product_id": "item 0/0"},
        "context": {"consent": {"categoryPreferences": {"personalize": True}}},
    }
    deep = json.loads(b'{"y":' * 40 + b"1" + b"}" * 40)
    bad = [
        good | {"properties": {"product_id": "x", "name": "n" * 40_000}},
        good | {"properties": deep},
        17,
        None,
        {},
        good | {"userId": None},
        good | {"userId": {"an": "object"}},
        good | {"type": "unknown"},
        good | {"timestamp": "9999-01-01T00:00:00Z"},
        good | {"timestamp": "1800-01-01T00:00:00Z"},
    ]
    answer = client.post("/v1/batch", json={"batch": [*bad, good]}, headers=shop.key_of("browser"))
    assert answer.status_code == 200
    assert len(shop.engine.export("bob").events) == 1
    counts = shop.engine.server.metrics().events
    assert sum(counts.values()) >= len(bad) + 1
    assert client.post("/v1/batch", content=SPREAD, headers=shop.key_of("browser")).status_code == 200


@pytest.mark.parametrize(
    "question",
    [
        {"count": 0},
        {"count": -1},
        {"count": limit("decide_count_max") + 1},
        {"count": 10**30},
        {"count": "10"},
        {"count": 1.5},
        {"count": None},
        {"mode": CANARY},
        {"mode": "'" + CANARY + "` - at `"},
        {"slot": ""},
        {"slot": "s" * 65},
        {"slot": 1},
        {"person": ""},
        {"person": " "},
        {"person": CANARY * 20},
        {"person": CANARY + "\x00"},
        {"person": {"user_id": CANARY}},
        {"person": "user_id:"},
        {"exclude": CANARY},
        {"exclude": [CANARY, 1]},
        {"exclude": ["x"] * (limit("exclude_items_max") + 1)},
        {"exclude": ["x" * 129]},
        {"context": {"item": 1}},
        {"context": []},
        {"context": {"item": "x" * 129}},
        {"include_bought": 1},
        {CANARY: CANARY},
        {"Zelda.Canary@example.org` - at `$": 1},
        [],
    ],
    ids=lambda question: str(question)[:40],
)
def test_a_bad_question_is_refused_by_name(still_client, still, question):
    """Zero, negative, huge and mistyped values, unknown fields and modes: 400, and the value is not repeated."""
    check_problem(still_client.post("/v1/decide", json=question, headers=still.key_of("server")), 400)


@pytest.mark.parametrize(
    ("choices", "status"),
    [
        ({}, 400),
        ({"grant": [], "withdraw": []}, 400),
        ({"grant": "learn"}, 400),
        ({"grant": [1]}, 400),
        ({"grant": ["learn"], CANARY: 1}, 400),
        ({"grant": ["learn"], "evidence": "e" * (limit("evidence_chars_max") + 1)}, 400),
        ({"grant": ["learn"], "language": CANARY}, 400),
        ({"grant": ["learn"], "language": "xx"}, 400),
        ({"grant": [CANARY]}, 422),
        ({"withdraw": [CANARY]}, 422),
        ([], 400),
    ],
    ids=str,
)
def test_a_bad_choice_is_refused_and_changes_nothing(still_client, still, choices, status):
    """Nothing chosen, unknown purposes, wrong types: the ledger stays as it was."""
    before = still_client.get(PUT_CONSENT, headers=still.key_of("server")).json()
    check_problem(still_client.put(PUT_CONSENT, json=choices, headers=still.key_of("server")), status)
    assert still_client.get(PUT_CONSENT, headers=still.key_of("server")).json() == before


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({}, 400),
        ({"id": "x"}, 400),
        ({"id": "", "name": "n"}, 400),
        ({"id": "x\x00", "name": "n"}, 400),
        ({"id": "x" * 129, "name": "n"}, 400),
        ({"id": 1, "name": "n"}, 400),
        ({"id": "x", "name": ""}, 400),
        ({"id": "x", "name": "n", "price": -1}, 400),
        ({"id": "x", "name": "n", "price": "1"}, 400),
        ({"id": "x", "name": "n", "unknown": 1}, 400),
        ({"id": "x", "name": "n", "description": "d" * 70_000}, 413),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_bad_item_is_refused_and_so_is_its_list(still_client, still, item, status, many):
    """One bad item refuses the request, and nothing of it is stored."""
    body = [{"id": "good", "name": "Good"}, item] if many else item
    check_problem(still_client.put("/v1/items", json=body, headers=still.key_of("server")), status)
    assert still_client.get("/v1/items/good", headers=still.key_of("server")).status_code == 404


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


@pytest.mark.parametrize("name", ["%ff", "%00", "%20", "x" * 300, "email%3A", "user_id%3A%20"])
@pytest.mark.parametrize("rest", ["", "/consent", "/export"])
def test_a_name_that_cannot_be_one_is_refused(still_client, still, name, rest):
    """Not UTF-8, a zero byte, nothing but space, too long: 400."""
    check_problem(still_client.get(f"/v1/people/{name}{rest}", headers=still.key_of("server")), 400)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("person", ["nobody", "user_id:nobody", "email:nobody@example.org", CANARY])
def test_an_unknown_person_is_not_found_and_not_made(still_client, still, method, person):
    """Asking for somebody, or erasing them, does not make them known."""
    before = still.engine.server.metrics().stored["people"]
    check_problem(still_client.request(method, f"/v1/people/{person}", headers=still.key_of("server")), 404)
    assert still.engine.server.metrics().stored["people"] == before


@pytest.mark.parametrize("path", ["/v1/people//consent", "/v1//people/ann", "/v1/items//similar", "//health"])
def test_an_empty_name_is_no_name(still_client, still, path):
    """Two slashes are not one: nobody is erased by a still_client that forgot the name."""
    for method in ("GET", "PUT", "DELETE"):
        check_problem(
            still_client.request(method, f"http://testserver.local{path}", headers=still.key_of("server")), 404
        )
