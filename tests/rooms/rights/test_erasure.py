"""Erasure: in order, complete, resumable, the same for everyone who asks, and proven."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assent.rights import erasure
from assent.rights.journal import JournalLine
from assent.store import Store
from assent.store.topics import erasures, log, people, records, sums
from assent.store.topics.erasures import ErasureRow
from assent.terms.errors import Busy, Corrupt, NotFound, PermitNeeded, StoreUnavailable
from assent.terms.ids import PersonId, identifiers_named
from assent.terms.purposes import Personalize
from assent.testing import START_MS, SeededRandomness
from assent.vault import KeyFile, Vault
from tests.rooms.rights import crash
from tests.rooms.rights.house import House, gone
from tests.tables import drop_key

ROOT = Path(__file__).parents[3]


def as_mapping(certificate):
    return {
        "body": certificate.body,
        "signature": certificate.signature,
        "public_key": certificate.public_key,
    }


def sound(house):
    """Tell whether the log and the sums verify, the sums against a rebuild."""
    with house.store.read() as session:
        checks = [*house.audit.verify(session), *house.learning.verify(session, rebuild=True)]
    return all(check.holds for check in checks)


def test_nothing_is_left(full):
    """Rows, key, index and contribution are gone; the others' sum is what it would be without the person."""
    person, _ = full.find("ann")
    certificate = full.rights.erase("ann")
    assert gone(full, person)
    assert sound(full)
    facts = certificate.body["facts"]
    assert facts["rows_deleted"]["records"] == 1
    assert facts["rows_deleted"]["person_keys"] == 1
    assert facts["rows_found_afterwards"] == 0
    assert {"people", "person_keys", "records", "contributions", "log_leaves"} <= set(facts["tables_searched"])
    assert facts["key"] == "destroyed"
    assert facts["identifiers_suppressed"] == 2
    assert not facts["repeated_after_a_restore"]
    model = facts["models"]["recommender"]
    assert model["had_contribution"]
    assert model["digest_before"] != model["digest_after"]
    assert model["digest_after"] == full.learning.train(rebuild=True).digest
    assert facts["suppressed_ms"] <= facts["subtracted_ms"] <= facts["deleted_ms"] <= facts["searched_ms"]
    with pytest.raises(NotFound):
        full.rights.export("ann")


def test_nothing_was_learned_from_them(full, house):
    """Somebody who is in no sum is erased all the same; the digest does not move."""
    facts = full.rights.erase("dan").body["facts"]
    model = facts["models"]["recommender"]
    assert not model["had_contribution"]
    assert model["digest_before"] == model["digest_after"] != ""


def test_before_anything_was_learned(house):
    """In a shop that never trained an erasure has no digests to name."""
    house.choose("ann", ["personalize"])
    model = house.rights.erase("ann").body["facts"]["models"]["recommender"]
    assert model == {"had_contribution": False, "digest_before": "", "digest_after": ""}


def test_a_key_held_elsewhere_opens_nothing_any_more(full):
    """After an erasure the cached key is gone, and there is nothing left to open with a key that somebody kept."""
    person, key = full.find("ann")
    with full.store.read() as session:
        permit = full.ledger.may(session, person, Personalize)
        assert len(full.vault.open_history(session, permit, key)) > 0
    full.rights.erase("ann")
    with full.store.read() as session:
        with pytest.raises(PermitNeeded):
            full.vault.open_history(session, permit, key)
        assert len(full.vault.export_history(session, key)) == 0
        with pytest.raises(NotFound):
            full.vault.key(person, *(people.key(session, person) or (None, None)))


def test_nothing_of_them_is_permitted_from_the_first_moment(full):
    """Once an erasure has begun, consent refuses, and events naming them are suppressed."""
    person, _ = full.find("ann")
    blinds = full.vault.blinds(identifiers_named("ann"))
    full.store.write(lambda session: full.rights._eraser.request(session, blinds))
    with full.store.read() as session:
        assert full.ledger.may(session, person, Personalize).reason == "erasing"
        assert people.suppressed(session, blinds)


def test_asking_again_gives_the_same_certificate(full):
    """A repeated request, by any name of the person, gets the certificate of the one erasure."""
    first = full.rights.erase("ann")
    assert full.rights.erase("ann") == first
    assert full.rights.erase("email:ann@example.org") == first
    assert full.again().rights.erase("user_id:ann") == first
    with full.store.read() as session:
        (row,) = erasures.all(session)
    assert (row.step, row.completed_ms) == ("completed", full.clock.now_ms())


def test_somebody_unknown(full):
    """Nobody by that name: not found, and nothing is written."""
    with pytest.raises(NotFound):
        full.rights.erase("nobody")
    with pytest.raises(NotFound):
        full.rights._eraser.run(bytes(16))
    with full.store.read() as session:
        assert erasures.all(session) == []


def test_suppressed_but_never_erased_here(full):
    """An identifier that is suppressed without a line in this journal leads to no certificate."""
    blinds = full.vault.blinds(identifiers_named("user_id:eve"))
    full.store.write(lambda session: people.suppress(session, *blinds[0], START_MS))
    with pytest.raises(NotFound):
        full.rights.erase("eve")


def test_erased_again_after_they_came_back(full):
    """Somebody who consented anew is somebody new: erasing them is a new erasure with a certificate of its own."""
    first = full.rights.erase("bob")
    full.choose("bob", ["personalize"])
    second = full.rights.erase("bob")
    assert first.body["erasure"] != second.body["erasure"]
    assert first.body["person"] != second.body["person"]
    assert full.rights.erase("bob") == second


def test_many_ask_at_once(full):
    """Two requests, ten requests, from two programs: one erasure, one certificate for all."""
    person, _ = full.find("ann")
    houses = [full, full.again()]
    with ThreadPoolExecutor(10) as pool:
        certificates = list(pool.map(lambda number: houses[number % 2].rights.erase("ann"), range(10)))
    assert all(each == certificates[0] for each in certificates)
    with full.store.read() as session:
        assert len(erasures.all(session)) == 1
    assert gone(full, person)
    assert sound(full)


# -- certificates --------------------------------------------------------------------------------------------------


def test_a_certificate_verifies(full):
    """The certificate is signed, its facts are in the log, the log's proof holds, and the person is not back."""
    certificate = full.rights.erase("ann")
    found = full.rights.verify_certificate(json.loads(json.dumps(as_mapping(certificate))))
    assert found.holds
    assert [check.name for check in found.checks] == ["signature", "facts", "log proof", "log continues", "not back"]
    full.rights.erase("bob")
    assert full.rights.verify_certificate(as_mapping(certificate)).holds


def test_an_altered_certificate_does_not_verify(full, tmp_path):
    """Another body, signature or key, another kind of document, nothing at all: none verifies."""
    mapping = as_mapping(full.rights.erase("ann"))
    forger = Vault(KeyFile.make(tmp_path / "forger.key", SeededRandomness(9)), full.clock, full.randomness)
    foreign = forger.sign(mapping["body"])
    receipt = full.vault.sign({"format": "something else"})
    for altered in (
        {},
        {**mapping, "body": {**mapping["body"], "requested": "2020-01-01T00:00:00.000Z"}},
        {**mapping, "signature": mapping["signature"][::-1]},
        {**mapping, "body": None},
        {"body": foreign["payload"], "signature": foreign["signature"], "public_key": foreign["public_key"]},
        {"body": receipt["payload"], "signature": receipt["signature"], "public_key": receipt["public_key"]},
    ):
        found = full.rights.verify_certificate(altered)
        assert not found.holds
        assert [check.name for check in found.checks] == ["signature"]


def failing(house, mapping):
    return {check.name for check in house.rights.verify_certificate(mapping).checks if not check.holds}


def test_each_claim_is_checked_by_itself(full):
    """Unknown facts, a proof that leads nowhere, a log cut short, a person who is back: told apart."""
    mapping = as_mapping(full.rights.erase("ann"))

    def signed(**changes):
        payload = full.vault.sign({**mapping["body"], **changes})
        return {"body": payload["payload"], "signature": payload["signature"], "public_key": payload["public_key"]}

    in_log = mapping["body"]["log"]
    assert failing(full, signed(facts={})) == {"facts"}
    assert failing(full, signed(log={**in_log, "at_ms": 1})) == {"log proof"}
    person = PersonId(bytes.fromhex(mapping["body"]["person"]))
    full.store.write(lambda session: people.add(session, person, START_MS))
    assert failing(full, mapping) == {"not back"}
    with full.store.read() as session:
        size = log.size(session)
    proof = {**in_log["proof"], "index": size + 5}
    assert failing(full, signed(log={**in_log, "proof": proof})) == {"log proof", "log continues", "not back"}


# -- faults --------------------------------------------------------------------------------------------------------


def test_readers_hold_up_the_end(full, monkeypatch):
    """While side files cannot be emptied there is no certificate; the next call goes on and ends."""
    person, _ = full.find("ann")
    monkeypatch.setattr(erasure, "_WAIT_SECONDS", 0.0)
    left = [Busy("held") for _ in range(2)]
    emptied = full.store.checkpoint

    def checkpoint():
        if left:
            raise left.pop()
        emptied()

    monkeypatch.setattr(full.store, "checkpoint", checkpoint)
    for _ in range(2):
        with pytest.raises(Busy, match="goes on"):
            full.rights.erase("ann")
        assert gone(full, person)
    monkeypatch.undo()
    monkeypatch.setattr(full.store, "checkpoint", checkpoint)
    left.append(Busy("held"))
    assert full.rights.verify_certificate(as_mapping(full.rights.erase("ann"))).holds


def test_a_journal_that_cannot_be_written_stops_before_anything_is_taken(full):
    """Without a journal nothing is deleted; the person stays suppressed, and the erasure goes on once it can."""
    person, _ = full.find("ann")
    path = full.vault.journal_path
    path.mkdir()
    with pytest.raises(StoreUnavailable):
        full.rights.erase("ann")
    with full.store.read() as session:
        assert people.state(session, person) == people.ERASING
        assert len(records.of(session, person)) == 1
    path.rmdir()
    (certificate,) = full.rights.resume_all()
    assert full.rights.erase("ann") == certificate
    assert gone(full, person)


def test_a_lost_key_stops_before_the_sum_is_falsified(full):
    """A contribution that cannot be opened cannot be subtracted: the erasure waits until the key is back."""
    person, _ = full.find("ann")
    with full.store.read() as session:
        wrapped = people.key(session, person)
    full.store.write(lambda session: drop_key(session, person))
    with pytest.raises(NotFound):
        full.rights.erase("ann")
    full.store.write(lambda session: people.put_key(session, person, *wrapped))
    blinds = full.vault.blinds(identifiers_named("ann"))
    full.store.write(lambda session: full.rights._eraser.request(session, blinds))
    full.store.write(lambda session: drop_key(session, person))
    with pytest.raises(Corrupt, match="key from a backup"):
        full.rights.resume_all()
    full.store.write(lambda session: people.put_key(session, person, *wrapped))
    assert len(full.rights.resume_all()) == 1
    assert sound(full)


def test_what_turns_up_afterwards_is_deleted_and_told(full, monkeypatch):
    """Should the last search find anything, it goes as well, and the certificate says how much it was."""
    person, _ = full.find("ann")

    def checkpoint():
        full.store.write(lambda session: people.add(session, person, START_MS))

    monkeypatch.setattr(full.store, "checkpoint", checkpoint)
    certificate = full.rights.erase("ann")
    assert certificate.body["facts"]["rows_found_afterwards"] == 1
    assert gone(full, person)


def test_somebody_else_did_the_step_already(full):
    """A step that another process has done in the meantime is not done again."""
    blinds = full.vault.blinds(identifiers_named("ann"))
    erasure_id = full.store.write(lambda session: full.rights._eraser.request(session, blinds))
    with full.store.read() as session:
        stale = erasures.get(session, erasure_id)
    certificate = full.rights.erase("ann")
    unknown = ErasureRow(bytes(16), stale.person, "suppressed", START_MS, facts=stale.facts)
    for row in (stale, unknown, stale._replace(step="subtracted"), stale._replace(step="deleted")):
        full.rights._eraser._steps[row.step](row)
    assert full.rights.erase("ann") == certificate
    assert sound(full)


# -- restore -------------------------------------------------------------------------------------------------------


def test_who_a_backup_brought_back_is_erased_again(full):
    """A journal line that the store knows nothing of: the person is suppressed and erased before anything is served."""
    person, _ = full.find("ann")
    blinds = full.vault.blinds(identifiers_named("email:ann@example.org"))
    line = JournalLine(b"e" * 16, person, tuple(blinds), START_MS - 1000)
    full.rights._journal.add(line)
    (certificate,) = full.again().rights.replay_journal()
    assert certificate.body["facts"]["repeated_after_a_restore"]
    assert certificate.body["requested"] < certificate.body["completed"]
    assert gone(full, person)
    assert sound(full)
    assert full.rights.replay_journal() == []
    assert full.rights.erase("ann@example.org") == certificate


def test_who_the_restored_store_never_knew_stays_away(full):
    """A backup older than the person: nothing to delete, their identifiers are suppressed all the same."""
    blinds = full.vault.blinds(identifiers_named("user_id:eve"))
    full.rights._journal.add(JournalLine(b"e" * 16, b"v" * 16, tuple(blinds), START_MS))
    (certificate,) = full.rights.replay_journal()
    assert certificate.body["facts"]["models"] == {}
    assert certificate.body["facts"]["rows_deleted"] == {}
    assert full.rights.verify_certificate(as_mapping(certificate)).holds
    with full.store.read() as session:
        assert people.suppressed(session, blinds)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_real_restore(full, build, tmp_path):
    """The database file of before an erasure is put back; opening it erases again, and the old certificate says why."""
    person, _ = full.find("ann")
    full.store.checkpoint()
    shutil.copy(full.store.path, tmp_path / "backup.db")
    certificate = full.rights.erase("ann")
    full.store.close()
    for leftover in filter(Path.is_file, tmp_path.glob("shop.db*")):  # the folder of models stays
        leftover.unlink()
    shutil.copy(tmp_path / "backup.db", full.store.path)
    with Store.open(full.store.path) as store:
        restored = build(store)
        assert restored.find("ann")[0] == person
        assert len(restored.rights.replay_journal()) == 1
        assert gone(restored, person)
        assert sound(restored)
        assert failing(restored, as_mapping(certificate)) <= {"log continues"}


# -- crashes -------------------------------------------------------------------------------------------------------


def secrets_of(house, name):
    """Return bytes that only this person's rows hold."""
    person, _ = house.find(name)
    with house.store.read() as session:
        wrapped, _ = people.key(session, person)
        (record,) = records.of(session, person)
        return [wrapped, record.sealed, record.trail, sums.contribution(session, "recommender", person)]


def test_killed_at_every_point(house, store_url, tmp_path):
    """Killed before, between and inside the steps, then opened again: every erasure that began is complete."""
    names = [f"person-{number:02}" for number in range(24)]
    for number, name in enumerate(names):
        house.choose(name, ["personalize", "learn"])
        house.act(name, [f"item-{number % 5}", f"item-{number % 3}x", "all"])
    house.learning.train()
    persons = {name: house.find(name)[0] for name in names}
    secrets = {name: secrets_of(house, name) for name in names}
    house.store.close()
    program = [sys.executable, crash.__file__, store_url, str(house.key_path), *names]
    paths = os.pathsep.join([*sys.path, str(ROOT)])
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    killed = json.loads(done.stdout)
    assert len(killed) >= 14
    assert names[-1] not in killed
    with Store.open(store_url) as store:
        opened = House(store, house.key_path, house.clock, SeededRandomness(5))
        assert opened.rights.replay_journal() == []
        resumed = opened.rights.resume_all()
        with store.read() as session:
            left = [name for name in names if people.state(session, persons[name]) is not None]
        # whoever died before the first commit never asked: untouched
        assert left == killed[: len(left)]
        assert 0 < len(left) < 3
        assert len(resumed) >= 8
        assert sound(opened)
        for name in names[len(left) :]:
            assert gone(opened, persons[name])
            assert opened.rights.verify_certificate(as_mapping(opened.rights.erase(name))).holds
        if store.path is not None:
            store.checkpoint()
            files = [file for file in tmp_path.rglob("*") if file.is_file()]
            content = b"".join(file.read_bytes() for file in files)
            for name in names:
                assert name.encode() not in content
                for secret in secrets[name]:
                    assert (secret in content) is (name in left)
