"""The acts of our own API: decide, items, consent, rights, and what the server says of itself."""

from urllib.parse import quote

import pytest

from assent.terms.limits import limit


@pytest.fixture
def server(shop):
    """Return the header of a server key."""
    return shop.key_of("server")


def test_a_decision_says_what_it_rests_on(client, shop, server):
    """The answer holds items with reasons, what was not used, and the purpose with its receipt; it is recorded."""
    shop.engine.train()
    answer = client.post("/v1/decide", json={"person": "user_id:ann", "count": 3}, headers=server)
    decision = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert decision["personal"]
    assert (decision["purpose"], decision["gpc_honored"]) == ("personalize", False)
    assert decision["receipt"]
    assert 0 < len(decision["items"]) <= 3
    assert shop.engine.server.metrics().stored["decisions"] == 1


def test_a_decision_needs_nothing(client, server):
    """Everything has a default: nobody in particular, the home page, ten items."""
    decision = client.post("/v1/decide", json={}, headers=server).json()
    assert not decision["personal"]
    assert (decision["slot"], decision["mode"]) == ("home", "personal")
    assert len(decision["items"]) == 8


def test_global_privacy_control_is_honoured_where_items_are_chosen(client, shop, server):
    """With `Sec-GPC: 1` the person's history is not used, and the answer says so."""
    shop.engine.train()
    decision = client.post("/v1/decide", json={"person": "ann"}, headers=server | {"Sec-GPC": "1"}).json()
    assert decision["gpc_honored"]
    assert not decision["personal"]


def test_a_question_is_understood_in_all_its_parts(client, server):
    """Slot, count, mode, exclusions and the item on the page reach the decision."""
    question = {
        "person": None,
        "slot": "basket",
        "count": 2,
        "context": {"item": "item 1/1", "page": "unknown fields of a page are not read"},
        "mode": "non_profiled",
        "exclude": ["item 0/0"],
        "include_bought": True,
    }
    decision = client.post("/v1/decide", json=question, headers=server).json()
    assert (decision["slot"], decision["mode"], len(decision["items"])) == ("basket", "non_profiled", 2)
    assert {"item 0/0", "item 1/1"}.isdisjoint(each["item"] for each in decision["items"])


def test_similar_items_are_for_anybody(client, shop, server):
    """An item with a slash in its id is named percent-encoded, and never similar to itself."""
    shop.engine.train()
    path = f"/v1/items/{quote('item 1/1', safe='')}/similar"
    items = client.get(path, params={"count": 2}, headers=server).json()["items"]
    assert 0 < len(items) <= 2
    assert "item 1/1" not in {each["item"] for each in items}
    assert client.get("/v1/items/unknown/similar", headers=server).status_code == 404


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b'{"id": "a", "name": "A"}', 1),
        (b'[{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]', 2),
        (b'{"id": "a", "name": "A"}\n{"id": "b", "name": "B"}\n', 2),
        (b"[]", 0),
    ],
)
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson", "text/plain"])
def test_items_come_as_json_or_ndjson(client, server, body, stored, media):
    """What the body is, is read from the body."""
    answer = client.put("/v1/items", content=body, headers=server | {"Content-Type": media})
    assert (answer.status_code, answer.json()) == (200, {"stored": stored})
    found = client.get("/v1/items/b", headers=server)
    assert found.status_code == (200 if stored == 2 else 404)


def test_the_catalogue_is_read_page_by_page(client, server):
    """`next` leads from page to page until everything was seen once."""
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/items", params={"after": after, "count": 3}, headers=server).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert seen == sorted(f"item {number}/{number}" for number in range(8))


def test_an_item_is_read_and_taken_off_the_list(client, server):
    """DELETE answers 204 without a body; the item is then unknown and suggested no more."""
    path = f"/v1/items/{quote('item 7/7', safe='')}"
    assert client.get(path, headers=server).json()["name"] == "Item 7"
    gone = client.delete(path, headers=server)
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get(path, headers=server).status_code == 404
    assert client.delete(path, headers=server).status_code == 404
    items = client.post("/v1/decide", json={}, headers=server).json()["items"]
    assert "item 7/7" not in {each["item"] for each in items}


def test_purposes_are_told_in_plain_text(client, shop):
    """Whoever handles consent can read the words that people are shown."""
    purposes = client.get("/v1/purposes", headers=shop.key_of("officer")).json()["purposes"]
    assert {"personalize", "learn"} <= {purpose["id"] for purpose in purposes}


def test_consent_is_given_and_taken_back_by_the_same_call(client, shop, server):
    """Each choice gives a signed receipt and holds in the next call."""
    shop.engine.train()
    path = "/v1/people/user_id%3Aann/consent"
    before = client.get(path, headers=server).json()
    withdrawn = client.put(path, json={"withdraw": ["personalize"]}, headers=server)
    assert withdrawn.status_code == 200
    (receipt,) = withdrawn.json()["receipts"]
    assert receipt.keys() == {"payload", "signature", "public_key"}
    assert client.get(path, headers=server).json() != before
    assert not client.post("/v1/decide", json={"person": "ann"}, headers=server).json()["personal"]
    granted = client.put(path, json={"grant": ["personalize"], "language": "de"}, headers=server)
    assert len(granted.json()["receipts"]) == 1


def test_what_is_granted_and_withdrawn_at_once_is_withdrawn(client, server):
    """The more careful reading wins."""
    choices = {"grant": ["learn", "measure"], "withdraw": ["learn", "learn"]}
    answer = client.put("/v1/people/ann/consent", json=choices, headers=server)
    assert answer.status_code == 200
    assert len(answer.json()["receipts"]) == 2


def test_a_grant_makes_a_person_and_a_withdrawal_does_not(client, server):
    """Somebody unknown may say yes; there is nothing that a stranger could withdraw."""
    path = "/v1/people/email%3Anew%40example.org/consent"
    assert client.put(path, json={"withdraw": ["learn"]}, headers=server).status_code == 404
    assert client.get(path, headers=server).status_code == 404
    assert client.put(path, json={"grant": ["learn"]}, headers=server).status_code == 200
    assert client.get(path, headers=server).status_code == 200


def test_a_person_can_be_seen_carried_away_and_erased(client, shop):
    """An officer sees, exports and erases; afterwards the person is unknown, and the certificate verifies."""
    officer = shop.key_of("officer")
    assert client.get("/v1/people/ann", headers=officer).status_code == 200
    export = client.get("/v1/people/ann/export", headers=officer)
    assert "attachment" in export.headers["content-disposition"]
    assert len(export.json()["events"]) == 4
    certificate = client.delete("/v1/people/user_id:ann", headers=officer)
    assert certificate.status_code == 200
    assert shop.engine.people.verify_certificate(certificate.json()).holds
    for path in ("", "/export", "/consent"):
        assert client.get(f"/v1/people/ann{path}", headers=officer).status_code == 404
    assert client.delete("/v1/people/ann", headers=officer).json() == certificate.json()


@pytest.mark.parametrize(
    "name", ["slash/ed", "per%cent", "per%2Fcent", "ümlaut ß", "?query#fragment", "..", "-", "a:b"]
)
def test_a_name_may_hold_any_character(client, server, name):
    """A name in a path is percent-decoded once, so that every identifier can be named."""
    path = f"/v1/people/{quote(name, safe='')}/consent".replace("/../", "/%2E%2E/")
    assert client.put(path, json={"grant": ["learn"]}, headers=server).status_code == 200
    question = {"person": f"user_id:{name}"}
    assert client.get(
        f"/v1/people/{quote(question['person'], safe='').replace('..', '%2E%2E')}", headers=server
    ).is_success


def test_the_server_says_how_it_is(client):
    """Health is public and says nothing more."""
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_global_privacy_control_is_announced(client):
    """The support resource has the shape that the specification gives."""
    answer = client.get("/.well-known/gpc.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"gpc", "lastUpdate"}
    assert answer.json()["gpc"] is True


def test_metrics_are_prometheus_text(client, shop):
    """Every line is a comment or a sample with one label, and nothing names a person."""
    client.post("/v1/decide", json={"person": "ann"}, headers=shop.key_of("server"))
    client.post("/v1/track", json={"userId": "ann", "event": "Product Viewed"}, headers=shop.key_of("browser"))
    answer = client.get("/metrics", headers=shop.key_of("monitor"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'assent_acts_total{act="decide"} 1' in answer.text
    assert 'assent_events_total{outcome="stored"} 1' in answer.text
    for line in answer.text.splitlines():
        assert line.startswith("# ") or line.rpartition(" ")[2].isdigit()
    assert "ann" not in answer.text


def test_the_most_that_may_be_asked_for_is_answered(client, server):
    """The bounds themselves are inside."""
    question = {"count": limit("decide_count_max"), "exclude": ["x"] * limit("exclude_items_max"), "slot": "s" * 64}
    assert client.post("/v1/decide", json=question, headers=server).status_code == 200
    assert client.get("/v1/items", params={"count": 1000}, headers=server).status_code == 200


@pytest.mark.parametrize(
    ("field", "accepted", "language"),
    [
        (None, None, "en"),
        ("de-AT", None, "de"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr;q=1.0, en;q=0.3, de;q=0.7", "de"),
        (None, "fr, *;q=0.1", "en"),
        (None, "de;q=0, xx;;q=?", "en"),
        ("en", "de", "en"),
        ("fr", "de", "en"),
    ],
)
def test_an_answer_speaks_the_language_of_the_question(client, shop, field, accepted, language):
    """The field of the body first, then what `Accept-Language` likes best, then the shop's own language."""
    headers = shop.key_of("server") | ({} if accepted is None else {"Accept-Language": accepted})
    question = {"person": "user_id:ann"} | ({} if field is None else {"language": field})
    decision = client.post("/v1/decide", json=question, headers=headers).json()
    assert decision["language"] == language
    german = "Nichts wird gekauft oder von anderswo übernommen." in {each["why"] for each in decision["not_used"]}
    assert german is (language == "de")


def test_a_consent_in_no_language_is_kept_in_that_of_the_shop(client, shop):
    """A request that names none gets the notice of the settings."""
    told = client.put("/v1/people/ann/consent", json={"grant": ["measure"]}, headers=shop.key_of("server"))
    assert told.json()["receipts"][0]["payload"]["dct:language"] == "en"
