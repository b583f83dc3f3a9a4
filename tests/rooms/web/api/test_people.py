"""Consent and a person's rights over HTTP."""

import pytest

from assent.terms.limits import limit
from tests.rooms.web.problems import CANARY, check_problem

CONSENT = "/v1/people/ann/consent"


@pytest.fixture
def server(shop):
    """Return the header of a server key."""
    return shop.key_of("server")


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
    before = still_client.get(CONSENT, headers=still.key_of("server")).json()
    check_problem(still_client.put(CONSENT, json=choices, headers=still.key_of("server")), status)
    assert still_client.get(CONSENT, headers=still.key_of("server")).json() == before


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("person", ["nobody", "user_id:nobody", "email:nobody@example.org", CANARY])
def test_an_unknown_person_is_not_found_and_not_made(still_client, still, method, person):
    """Asking for somebody, or erasing them, does not make them known."""
    before = still.engine.server.metrics().stored["people"]
    check_problem(still_client.request(method, f"/v1/people/{person}", headers=still.key_of("server")), 404)
    assert still.engine.server.metrics().stored["people"] == before


def test_the_purposes_that_can_be_chosen_are_named(document, still):
    """Only optional purposes can be granted or withdrawn, and the description lists exactly those."""
    listed = document["components"]["schemas"]["Choices"]["properties"]["grant"]["items"]["enum"]
    assert sorted(listed) == sorted(each.id for each in still.engine.purposes.all() if each.optional)


def test_a_consent_in_no_language_is_kept_in_that_of_the_shop(client, shop):
    """A request that names none gets the notice of the settings."""
    result = client.put("/v1/people/ann/consent", json={"grant": ["measure"]}, headers=shop.key_of("server"))
    assert result.json()["receipts"][0]["payload"]["dct:language"] == "en"
