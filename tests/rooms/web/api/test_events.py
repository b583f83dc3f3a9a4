"""Segment's tracking API, as its clients really use it."""

import base64
import gzip
import json

import pytest
from litestar.testing import TestClient

from assent.terms.limits import limit
from assent.terms.segment import CALLS
from assent.web.app import make_app
from tests.rooms.web.problems import check_problem

YES = {"consent": {"categoryPreferences": {"personalize": True}}}
PATHS = [f"/v1/{name}" for call, short in CALLS.items() for name in (call, short)]
SPREAD = b'{"batch":[{"x":' + b'{"y":' * 200 + b"1" + b"}" * 200 + b"}]}"
BOMB = gzip.compress(b'{"batch":[' + b" " * 40_000_000 + b"]}")


def viewed(person="bob", item="item 0/0", **more):
    """Return one consented event."""
    properties = {"product_id": item}
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": person,
        "properties": properties,
        "context": YES,
    } | more


def basic(key):
    """Return the header that Segment's clients send."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def events_of(shop, person):
    """Return the events held on a person."""
    return shop.engine.export(person).events


@pytest.fixture
def write_key(shop):
    return basic(shop.keys["browser"])


@pytest.mark.parametrize("path", PATHS)
def test_each_call_is_taken_in_under_both_its_names(client, write_key, path):
    """Long and short paths answer 200 and `success`, with or without a slash at the end, never with a redirect."""
    body = {"batch": [viewed()]} if path in {"/v1/batch", "/v1/b"} else viewed(previousId="b", groupId="g", name="n")
    for spelled in (path, path + "/"):
        answer = client.post(spelled, json=body, headers=write_key, follow_redirects=False)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("media", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_the_body_is_read_by_what_it_is(client, shop, write_key, media, packed, labelled):
    """Any content type will do, and gzip is seen with the header or without."""
    body = json.dumps({"batch": [viewed()]}).encode()
    headers = write_key | ({"Content-Type": media} if media else {})
    headers |= {"Content-Encoding": "gzip"} if packed and labelled else {}
    answer = client.post("/v1/batch", content=gzip.compress(body) if packed else body, headers=headers)
    assert answer.status_code == 200
    assert len(events_of(shop, "bob")) == 1


def test_the_write_key_may_stand_in_the_body(client, shop):
    """Without a header that names a key the body's own `writeKey` is asked, also when it is gzip."""
    body = json.dumps(viewed(writeKey=shop.keys["browser"])).encode()
    assert client.post("/v1/t", content=body).status_code == 200
    body = json.dumps({"batch": [viewed("bea")], "writeKey": shop.keys["browser"]}).encode()
    assert client.post("/v1/b", content=gzip.compress(body)).status_code == 200
    oauth = {"Authorization": "Bearer a token of somebody else's"}
    assert client.post("/v1/t", json=viewed("ben", writeKey=shop.keys["browser"]), headers=oauth).status_code == 200
    assert len(events_of(shop, "bob")) == len(events_of(shop, "bea")) == len(events_of(shop, "ben")) == 1


@pytest.mark.parametrize("body", [viewed(writeKey="unknown"), viewed(), viewed(writeKey=None)])
def test_without_a_known_key_nothing_is_taken_in(client, shop, body):
    """An unknown key and no key are 401; a body that is no object could not name one and is 400."""
    assert client.post("/v1/track", json=body).status_code == 401
    assert client.post("/v1/track", json="no object").status_code == 400
    assert shop.engine.server.metrics().events.get("stored", 0) == 0


def test_large_bodies_are_read_whole(client, shop, write_key):
    """A batch of 500 events goes beside the event loop and arrives all the same."""
    batch = [viewed(messageId=f"m{number}") for number in range(500)]
    assert client.post("/v1/batch", json={"batch": batch}, headers=write_key).status_code == 200
    assert len(events_of(shop, "bob")) == 500
    nobody = client.post("/v1/batch", json={"batch": batch})
    assert nobody.status_code == 401


def test_what_nobody_agreed_to_is_dropped_counted_and_answered_with_200(client, shop, write_key):
    """A client must not try again what was dropped for want of consent; the counts say what happened."""
    silent = [viewed("bob", context={}), viewed("bob", context={"consent": {"categoryPreferences": {}}})]
    answer = client.post("/v1/batch", json={"batch": silent}, headers=write_key)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    result = client.get("/metrics", headers=shop.key_of("monitor")).text
    assert 'assent_events_total{outcome="no_consent"} 1' in result
    assert 'assent_events_total{outcome="signal"} 1' in result
    assert client.get("/v1/people/bob", headers=shop.key_of("server")).status_code == 404


@pytest.mark.parametrize(
    ("values", "kept"), [(["1"], 0), (["0"], 1), (["true"], 1), ([""], 1), (["1.0"], 1), (["0", "1"], 0), (["11"], 1)]
)
def test_only_an_exact_one_is_global_privacy_control(client, shop, write_key, values, kept):
    """`Sec-GPC: 1` stops what the person's own banner allowed; any other value is no signal."""
    headers = [*write_key.items(), *(("Sec-GPC", value) for value in values)]
    assert client.post("/v1/track", json=viewed(), headers=headers).status_code == 200
    found = client.get("/v1/people/bob", headers=shop.key_of("server")).status_code
    assert found == (200 if kept else 404)


@pytest.mark.parametrize("path", PATHS)
def test_malformed_json_is_the_clients_fault(client, write_key, path):
    """Only what is no JSON object is answered with 400."""
    for body in (b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"{}{}"):
        assert client.post(path, content=body, headers=write_key).status_code == 400


def test_a_lone_event_that_names_nobody_is_counted_not_refused(client, shop, write_key):
    """One bad event is dropped and counted, in a batch and alone."""
    for path, body in (("/v1/track", {"event": "x"}), ("/v1/batch", {"batch": [{"type": "track", "event": "x"}]})):
        assert client.post(path, json=body, headers=write_key).status_code == 200


def test_a_retry_is_the_same_event(client, shop, write_key):
    """A message sent again, with its X-Retry-Count, is kept once."""
    for count in ("0", "1", "-3"):
        headers = write_key | {"X-Retry-Count": count}
        assert client.post("/v1/track", json=viewed(messageId="same"), headers=headers).status_code == 200
    assert len(events_of(shop, "bob")) == 1


@pytest.mark.parametrize("path", [*PATHS, "/v1/m"])
def test_a_browser_may_ask_first(client, path):
    """A preflight from any origin is told what it may send, without a key."""
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    answer = client.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_the_origins_can_be_a_list(shop):
    """With a list, only its origins' pages may read the answers."""
    with TestClient(make_app(shop.engine, cors_origins=["https://shop.example"])) as client:
        theirs = client.options("/v1/t", headers={"Origin": "https://shop.example"}).headers
        others = client.options("/v1/t", headers={"Origin": "https://other.example"}).headers
    assert theirs["access-control-allow-origin"] == "https://shop.example"
    assert theirs["vary"] == "origin"
    assert "access-control-allow-origin" not in others


def test_errors_can_be_read_by_the_page_too(client):
    """A browser's client sees why it was refused."""
    answer = client.post("/v1/t", json={}, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"code", "message"} <= answer.json().keys()


def test_only_post_sends_events(client):
    """Other methods are told so, with the methods that exist."""
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/v1/track")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "OPTIONS, POST"


def test_the_browser_client_gets_its_settings(client, shop):
    """A browser write key names its settings; no other key does."""
    answer = client.get(f"/v1/projects/{shop.keys['browser']}/settings")
    assert answer.json()["integrations"]["Segment.io"]["apiKey"] == shop.keys["browser"]
    assert answer.headers["access-control-allow-origin"] == "*"
    for key in (shop.keys["server"], "unknown"):
        assert client.get(f"/v1/projects/{key}/settings").status_code == 404


def test_the_clients_own_figures_are_thrown_away(client, shop):
    """`/v1/m` is answered, and nothing of it is kept."""
    before = shop.engine.server.metrics()
    assert client.post("/v1/m", content='{"series": []}').json() == {"success": True}
    assert client.post("/v1/m", content=b"x" * 5_000_000).status_code == 413
    assert shop.engine.server.metrics() == before


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
