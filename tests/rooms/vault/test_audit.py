"""The tamper-evident log: it grows, proves what it holds, survives erasure, and shows any altered byte."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.store.topics import log, meta, people
from assent.terms.errors import Corrupt, NotFound
from assent.terms.ids import PersonId
from assent.testing import FixedClock, SeededRandomness
from assent.vault import Act, AuditLog, InclusionProof, Proven, notes, verification
from assent.vault.entries import FRONTIER, leaf_of
from tests.rooms.vault.merkle import prove
from tests.tables import drop_key

ANN = PersonId(b"ann".ljust(16, b"-"))


def grown(shop, count=5):
    """Log a few acts: some on Ann, some on nobody, each with a checkpoint of its own."""
    shop.join("ann")
    for number in range(count):
        person = ANN if number % 2 else None
        shop.store.write(
            lambda session, number=number, person=person: shop.audit.append(
                session, "train" if person is None else "export", {"number": number}, person
            )
        )


def checks(shop):
    with shop.store.read() as session:
        return {check.name: check for check in shop.audit.verify(session)}


def holds(shop):
    return all(check.holds for check in checks(shop).values())


def test_an_empty_log_holds(shop):
    """Nothing logged: nothing to complain of, and no checkpoint."""
    assert holds(shop)
    with shop.store.read() as session:
        assert log.last_checkpoint(session) is None
        assert shop.audit.of(session, ANN) == []


def test_what_is_logged_is_found_again(shop):
    """Indexes count up, every act on a person opens with their key, and the whole verifies."""
    grown(shop)
    with shop.store.read() as session:
        logged = shop.audit.of(session, ANN)
        assert [(each.index, each.kind, each.detail) for each in logged] == [
            (1, "export", {"number": 1}),
            (3, "export", {"number": 3}),
        ]
        size = notes.open_checkpoint(log.last_checkpoint(session).note, shop.vault.signer.public_key).size
    assert size == 5
    assert holds(shop)
    assert checks(shop)["log entries"].found == "5 entries"


def test_many_acts_share_one_checkpoint(shop):
    """A batch of acts is one checkpoint; no acts are none."""
    shop.join("ann")
    acts = [Act("key made", {}, ANN), Act("store made", {"version": 1})]
    assert shop.store.write(lambda session: shop.audit.append_many(session, acts)) == [0, 1]
    assert shop.store.write(lambda session: shop.audit.append_many(session, [])) == []
    with shop.store.read() as session:
        assert [row.size for row in log.checkpoints(session)] == [2]
    assert holds(shop)


def test_an_act_that_is_undone_leaves_no_trace(shop):
    """When the job fails its entry, frontier and checkpoint go with it."""
    grown(shop)

    def job(session):
        shop.audit.append(session, "train", {})
        message = "undone"
        raise Corrupt(message)

    with pytest.raises(Corrupt, match="undone"):
        shop.store.write(job)
    assert holds(shop)
    assert shop.store.write(lambda session: shop.audit.append(session, "train", {})) == 5


def test_nothing_is_logged_about_somebody_without_a_key(shop):
    """Details on a person need that person's key."""
    with pytest.raises(NotFound):
        shop.store.write(lambda session: shop.audit.append(session, "export", {}, ANN))


def test_clock_and_randomness_may_be_others(shop):
    """A log may be given its own clock and randomness."""
    clock = FixedClock(7)
    log_of_its_own = AuditLog(shop.vault, clock, SeededRandomness(3))
    shop.store.write(lambda session: log_of_its_own.append(session, "train", {}))
    with shop.store.read() as session:
        assert log.leaf(session, 0).at_ms == 7


@pytest.mark.parametrize("page", [10_000, 2])
def test_every_entry_holds_under_every_later_checkpoint(shop, monkeypatch, page):
    """Each entry is in the tree of every later checkpoint, and verifying does not depend on the size of a page."""
    monkeypatch.setattr(verification, "PAGE_ROWS", page)
    grown(shop, 6)
    public_key = shop.vault.signer.public_key
    with shop.store.read() as session:
        for index in range(6):
            for size in range(index + 1, 7):
                proof = prove(session, index, size)
                assert proof.holds(public_key)
                assert not replace(proof, checkpoint=proof.checkpoint.replace("\n", " ")).holds(public_key)
                assert not replace(proof, size=size + 1).holds(public_key)
                assert not replace(proof, leaf=bytes(32)).holds(public_key)
    assert holds(shop)


def test_an_entry_is_proven_as_it_is_made(shop):
    """The proof made with the entry equals the one that the whole log gives, at every size."""
    for number in range(9):
        proven = shop.store.write(
            lambda session, number=number: shop.audit.append_proven(session, "train", {"number": number})
        )
        assert proven.holds(shop.vault.signer.public_key)
        assert proven.detail() == {"number": number}
        assert Proven.from_json(json.loads(json.dumps(proven.to_json()))) == proven
        with shop.store.read() as session:
            assert prove(session, number, number + 1) == proven.proof


def test_a_proven_entry_cannot_be_altered(shop):
    """Another time, kind, text or proof does not hold; what has another shape is refused."""
    proven = shop.store.write(lambda session: shop.audit.append_proven(session, "train", {"number": 1}))
    public_key = shop.vault.signer.public_key
    assert not replace(proven, at_ms=proven.at_ms + 1).holds(public_key)
    assert not replace(proven, kind="export").holds(public_key)
    assert not replace(proven, entry=proven.entry.replace("1", "2")).holds(public_key)
    assert not proven.holds(bytes(32))
    value = proven.to_json()
    for broken in ({}, {**value, "proof": None}, {**value, "at_ms": "soon"}, {**value, "proof": {"index": 0}}):
        with pytest.raises(Corrupt):
            Proven.from_json(broken)
    for entry in ("", "[]", "{}", '{"detail": 1}'):
        with pytest.raises(Corrupt):
            replace(proven, entry=entry).detail()


def test_erasing_a_person_does_not_break_the_chain(shop):
    """Details and person leave the log, the tree stands, and no proof changes."""
    grown(shop)
    with shop.store.read() as session:
        before = [prove(session, index, 5) for index in range(5)]
    shop.store.write(lambda session: people.delete(session, ANN))
    assert holds(shop)
    with shop.store.read() as session:
        assert [prove(session, index, 5) for index in range(5)] == before
        row = log.leaf(session, 1)
        assert (row.person, row.detail) == (None, None)


# -- tampering -----------------------------------------------------------------------------------------------------


def flip_byte(dialect: str, column: str, at: int, bit: int) -> str:
    """Write a bytes column with one bit of one byte flipped, as SQL."""
    if dialect == "postgresql":
        return f"set_byte({column}, {at}, get_byte({column}, {at}) # {1 << bit})"
    byte = f"substr({column}, {at + 1}, 1)"
    cases = " ".join(f"WHEN x'{value:02x}' THEN x'{value ^ 1 << bit:02x}'" for value in range(256))
    joined = f"substr({column}, 1, {at}) || CASE {byte} {cases} END || substr({column}, {at + 2})"
    return f"CAST({joined} AS BLOB)"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_one_flipped_bit_shows(shop, flip, data):
    """Whatever single bit of leaves, details, persons, roots, notes, kinds or times is flipped, verification fails."""
    if not checks(shop)["log entries"].found.startswith("5"):
        grown(shop)
    table, key, column = data.draw(
        st.sampled_from(
            [
                ("log_leaves", "idx", "leaf"),
                ("log_leaves", "idx", "detail"),
                ("log_leaves", "idx", "person"),
                ("log_leaves", "idx", "kind"),
                ("log_leaves", "idx", "at_ms"),
                ("log_leaves", "idx", "idx"),
                ("log_checkpoints", "size", "root"),
                ("log_checkpoints", "size", "note"),
                ("log_checkpoints", "size", "size"),
                ("meta", "key", "value"),
            ]
        )
    )
    with shop.store.read() as session:
        rows = {
            "log_leaves": {row.idx: row._asdict() for row in log.leaves(session)},
            "log_checkpoints": {row.size: row._asdict() for row in log.checkpoints(session)},
            "meta": {f"'{FRONTIER}'": {"value": meta.get(session, FRONTIER)}},
        }[table]
    where, row = data.draw(st.sampled_from([(where, row) for where, row in rows.items() if row[column] is not None]))
    old = row[column]
    if isinstance(old, int):
        changed = f"{column} + {1 << 20}"
        restored = f"{column} - {1 << 20}"
        found = f"{where} + {1 << 20}" if column == key else where
    elif isinstance(old, str):
        at = data.draw(st.integers(0, len(old) - 1))
        other = chr(ord(old[at]) ^ 1)
        changed, restored = (f"'{text}'" for text in (old[:at] + other + old[at + 1 :], old))
        found = where
    else:
        at, bit = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(0, 7))
        changed = restored = flip_byte(shop.store.dialect, column, at, bit)
        found = where
    assert holds(shop)
    flip(f"UPDATE {table} SET {column} = {changed} WHERE {key} = {where}")
    try:
        assert not holds(shop)
    finally:
        flip(f"UPDATE {table} SET {column} = {restored} WHERE {key} = {found}")
    assert holds(shop)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("DELETE FROM log_leaves WHERE idx = 4", {"log is whole"}),
        ("DELETE FROM log_leaves WHERE idx = 2", {"log entries", "log tree", "log is whole"}),
        ("DELETE FROM log_checkpoints WHERE size = 5", {"log is whole"}),
        ("DELETE FROM log_checkpoints", {"log is whole"}),
        ("DELETE FROM meta WHERE key = 'log_frontier'", {"log is whole"}),
        ("UPDATE log_leaves SET detail = NULL WHERE person IS NOT NULL", {"log entries"}),
        ("UPDATE person_keys SET key_id = 'k-unknown'", {"log entries"}),
        ("UPDATE meta SET value = 'x' WHERE key = 'log_frontier'", {"log"}),
    ],
)
def test_what_is_missing_shows(shop, flip, statement, broken):
    """Removed leaves, checkpoints, details or a lost frontier are reported by name."""
    grown(shop)
    shop.vault.clear_keys()
    flip(statement)
    assert {name for name, check in checks(shop).items() if not check.holds} - {"log tree"} == broken - {"log tree"}


def test_a_lost_key_shows(shop):
    """An entry on somebody whose key is gone, although they were not erased, is reported."""
    grown(shop)
    shop.store.write(lambda session: drop_key(session, ANN))
    assert checks(shop)["log entries"].found == "2 of 5 altered"


def test_a_log_written_anew_under_another_key_shows(shop, tmp_path):
    """Somebody without the key file cannot write a whole new log that verifies."""
    from assent.vault import KeyFile, Vault

    grown(shop)
    forger = Vault(KeyFile.make(tmp_path / "forger.key", SeededRandomness(8)), FixedClock(), SeededRandomness(9))
    with shop.store.read() as session:
        newest = log.last_checkpoint(session)
    note = notes.sign_checkpoint(forger.signer, newest.size, newest.root)
    shop.store.write(lambda session: log.put_checkpoint(session, newest.size, newest.root, note))
    assert not checks(shop)["log checkpoints"].holds


def test_an_entry_lost_between_append_and_proof_is_reported(shop, monkeypatch):
    """A store that loses what was just written is not believed."""
    monkeypatch.setattr(log, "leaf", lambda session, index: None)
    with pytest.raises(Corrupt):
        shop.store.write(lambda session: shop.audit.append_proven(session, "train", {}))


def test_a_leaf_covers_time_and_kind():
    """Time, kind and salted hash each change the leaf."""
    leaf = leaf_of(1, "train", bytes(32))
    assert (
        len({leaf, leaf_of(2, "train", bytes(32)), leaf_of(1, "export", bytes(32)), leaf_of(1, "train", b"1" * 32)})
        == 4
    )


def test_a_proof_of_another_log_does_not_hold(shop):
    """A proof is held against the key that must have signed it."""
    proof = InclusionProof(0, 1, bytes(32), (), "no checkpoint")
    assert not proof.holds(shop.vault.signer.public_key)
