"""Export: everything held on a person, readable, and nothing of anybody else."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from assent.store.topics import people, records
from assent.store.topics.records import RecordRow
from assent.terms.answers.people import PurposeState
from assent.terms.errors import NotFound
from assent.terms.ids import identifier
from assent.testing import START_MS
from assent.vault import verify_signed


def test_everything_held_is_there(full):
    """Identifiers, events, history, consents with receipts, decisions, what the model holds, the log, the purposes."""
    export = json.loads(json.dumps(asdict(full.rights.export("ann"))))
    assert export["format"] == "assent-export-1"
    assert export["controller"]["name"] == "The shop"
    assert export["identifiers"] == [
        {"kind": "email", "value": "ann@example.org"},
        {"kind": "user_id", "value": "ann"},
    ]
    assert [each["event"].get("product") for each in export["events"]] == ["tea", "mug", "jam", None]
    assert export["events"][0]["purposes"] == ["personalize", "learn"]
    assert "purposes" not in export["events"][0]["event"]
    assert [(each["item"], each["action"], each["day"]) for each in export["history"]] == [
        (item, "Order Completed", "2026-01-05") for item in ("tea", "mug", "jam")
    ]
    assert set(export["models"]["recommender"]["items"]) == {"tea", "mug", "jam"}
    assert all(value > 0 for value in export["models"]["recommender"]["items"].values())
    assert export["models"]["recommender"]["weight"] > 0
    assert [each["answer"]["method"] for each in export["decisions"]] == ["personal"]
    assert [each["kind"] for each in export["log"]] == ["consent granted", "consent granted", "export"]
    assert {"personalize", "learn"} <= {each["id"] for each in export["purposes"]}
    assert export["also_held"]


def test_consents_and_receipts(full):
    """Each purpose says whether it is allowed and why not; each entry has a receipt that verifies, and its evidence."""
    full.choose("ann", ["message"], evidence="said so by phone")
    full.choose("ann", withdraw=["message"])
    export = asdict(full.rights.export("ann"))
    purposes = export["consents"]["purposes"]
    assert purposes["learn"]["allowed"]
    assert purposes["learn"]["until"] > purposes["learn"]["since"]
    assert (purposes["message"]["allowed"], purposes["message"]["why_not"]) == (False, "withdrawn")
    assert purposes["message"]["until"] is None
    assert purposes["measure"] == asdict(PurposeState(allowed=False, why_not="not_granted"))
    assert purposes["service"] == asdict(PurposeState(allowed=True, why_not=None))
    assert [entry["action"] for entry in export["consents"]["entries"]] == ["granted"] * 3 + ["withdrawn"]
    assert [entry["until"] is None for entry in export["consents"]["entries"]] == [False] * 3 + [True]
    assert [receipt["evidence"] for receipt in export["receipts"]] == [None, None, "said so by phone", None]
    for receipt in export["receipts"]:
        assert verify_signed(receipt, full.vault.signer.public_key)


def test_only_what_is_held_is_there(full):
    """Somebody who is in no model, and whose names no event tells, has empty places, not guesses."""
    export = asdict(full.rights.export("user_id:dan"))
    assert export["models"] == {}
    assert export["identifiers"] == [{"kind": "user_id", "value": "dan"}]
    full.choose("email:eve@example.org", ["personalize"])
    assert full.rights.export("eve@example.org").identifiers == [{"kind": "email", "value": "eve@example.org"}]


def test_a_name_that_nothing_tells_is_a_digest_only(full):
    """An identifier whose value stands in no event is listed without a value; odd values in events do no harm."""
    person, key = full.find("dan")

    def job(session):
        people.add_identifier(session, "anonymous_id", full.vault.blind(identifier("anonymous_id", "a-1")), person)
        for seq, content in ((900, b"\x91\xa4text"), (901, b"\x91\x82\xa7user_id\xa0\xa6traits\xa1x")):
            records.add_many(session, [RecordRow(seq, person, START_MS, 1, key.seal("records", seq, content), None)])

    full.store.write(job)
    export = asdict(full.rights.export("dan"))
    assert {"kind": "anonymous_id", "value": None} in export["identifiers"]


def test_nothing_of_anybody_else(full):
    """Nobody else's names or things are in an export."""
    text = json.dumps(asdict(full.rights.export("dan")))
    for other in ("ann", "ann@example.org", "bob", "tea", "jam"):
        assert f'"{other}"' not in text


def test_who_is_not_known_or_going_has_no_export(full):
    """Nobody by that name, or somebody who is being erased: not found."""
    with pytest.raises(NotFound):
        full.rights.export("nobody")
    person, _ = full.find("ann")
    full.store.write(lambda session: people.set_state(session, person, people.ERASING))
    with pytest.raises(NotFound):
        full.rights.export("ann")
    full.rights.erase("bob")
    with pytest.raises(NotFound):
        full.rights.export("bob")


def test_consents_alone(full):
    """The consents of a person are had without the rest."""
    found = full.rights.consents("dan")
    assert found.purposes["personalize"].allowed
    assert not found.purposes["learn"].allowed
