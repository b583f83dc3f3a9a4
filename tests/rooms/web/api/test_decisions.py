"""Decisions over HTTP: what is asked, what is answered, and what is refused."""

import pytest

from assent.terms.limits import limit
from tests.rooms.web.problems import CANARY, check_problem


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


def test_global_privacy_control_is_honored_where_items_are_chosen(client, shop, server):
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


def test_the_most_that_may_be_asked_for_is_answered(client, server):
    """The bounds themselves are inside."""
    question = {"count": limit("decide_count_max"), "exclude": ["x"] * limit("exclude_items_max"), "slot": "s" * 64}
    assert client.post("/v1/decide", json=question, headers=server).status_code == 200
    assert client.get("/v1/items", params={"count": 1000}, headers=server).status_code == 200


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
