"""Nothing readable about a person is in any file: every byte of database, log and key file is searched."""

from __future__ import annotations

import base64

import pytest

from assent.store.topics import decisions
from assent.store.topics.decisions import DecisionRow
from assent.terms.ids import Identifier
from assent.testing import START_MS
from assent.vault import decision_number
from tests.rooms.vault.histories import deed

CANARY = "canary-Zxq81"
NAME = f"{CANARY}@example.org"


def every_form(text: str) -> list[bytes]:
    raw = text.encode()
    return [
        raw,
        raw.upper(),
        text.encode("utf-16-le"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        base64.b64encode(raw)[:14],
        raw[::-1],
    ]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_no_canary_in_any_byte(shop, tmp_path):
    """Identifiers, events, evidence, log details and decisions leave no readable form of the canary in the files."""
    from assent.store.topics import people

    key = shop.join("ann")
    shop.record(1, key, [{"email": NAME, "properties": {"name": CANARY}, "purposes": 1}], [deed(item=1, day=2, act=3)])

    def job(session):
        for kind in ("user_id", "anonymous_id", "email"):
            people.add_identifier(session, kind, shop.vault.blind(Identifier(kind, NAME)), key.person)
        shop.audit.append(session, "export", {"detail": CANARY}, key.person)
        sealed = key.seal("decisions", decision_number(bytes(16)), CANARY.encode())
        decisions.add_many(session, [DecisionRow(bytes(16), key.person, START_MS, "home", sealed)])
        shop.vault.fold_history(session, key.person, key)

    shop.store.write(job)
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith("-wal")]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for scan in (False, True):
        if scan:
            shop.store.checkpoint()
        for file in files:
            content = file.read_bytes()
            for form in every_form(CANARY):
                assert form not in content, f"{form!r} in {file.name}"


def test_errors_tell_nothing_of_a_person(shop):
    """What is raised about a person's records names neither the person nor what was in them."""
    from assent.terms.errors import AssentError

    key = shop.join(CANARY)
    sealed = key.seal("records", 1, CANARY.encode())
    with pytest.raises(AssentError) as error:
        key.open("records", 2, sealed)
    assert CANARY not in str(error.value)
    assert CANARY not in repr(key)
