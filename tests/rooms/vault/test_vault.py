"""The vault: people are found blindly, keys are handed out and forgotten, records open by permit only."""

from __future__ import annotations

import hmac

import msgspec
import pytest

from assent.store.topics import meta, people, records
from assent.store.topics.records import RecordRow
from assent.terms.errors import Conflict, Corrupt, KeyFileMissing, NotFound, PermitNeeded
from assent.terms.ids import Identifier, PersonId, identifiers_named
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn, Personalize, Service
from assent.testing import START_MS, FixedClock, SeededRandomness
from assent.vault import (
    HISTORY,
    KeyFile,
    Vault,
    digest_api_key,
    digest_message,
    verify_signed,
)
from tests.rooms.vault.histories import told

P, L = Personalize.bit, Learn.bit
ANN, BOB = PersonId(b"ann".ljust(16, b"-")), PersonId(b"bob".ljust(16, b"-"))


def permit(person=ANN, purpose=Personalize, seconds=30, epoch=0):
    return Permit(person, purpose, START_MS + seconds * 1000, "granted", "entry", epoch)


# -- names ---------------------------------------------------------------------------------------------------------


def test_blinds_keep_order_and_kind(vault):
    """A bare name is looked up as every kind, in order, each with bytes of its own."""
    named = identifiers_named("ann@example.org")
    blinds = vault.blinds(named)
    assert [kind for kind, _ in blinds] == ["user_id", "anonymous_id", "email"]
    assert len({blind for _, blind in blinds}) == 3
    assert blinds[2][1] == vault.blind(Identifier("email", "ann@example.org"))


def test_message_and_api_key_digests(vault):
    """A message id's digest needs the key file; an API key's digest is the key's own."""
    assert vault.digest_message("m-1") == digest_message(vault.message_key, "m-1")
    assert vault.digest_message("m-1") != digest_message(bytes(32), "m-1")
    assert len(vault.digest_message("\ud800")) == 16
    assert len(digest_api_key("server_1")) == 32
    assert digest_api_key("server_1") != digest_api_key("server_2")


def test_signing(vault):
    """What the vault signs verifies under its public key."""
    signed = vault.sign({"a": 1})
    assert verify_signed(signed, vault.signer.public_key)
    assert signed["public_key"] == vault.public_key


def test_the_journal_stands_beside_the_key_file(vault, keyfile):
    """The erase journal is kept with the keys, not with the data."""
    assert vault.key_path == keyfile.path
    assert vault.journal_path.parent == keyfile.path.parent
    assert vault.journal_path.name == "shop.erasures"


# -- keys ----------------------------------------------------------------------------------------------------------


def test_keys_are_cached_by_what_is_stored(vault):
    """The same wrapped bytes give the same key object; other bytes for the same person are unwrapped anew."""
    first, second = vault.new_person_key(ANN), vault.new_person_key(ANN)
    key = vault.key(ANN, *first)
    assert vault.key(ANN, *first) is key
    other = vault.key(ANN, *second)
    assert other is not key
    with pytest.raises(Corrupt):
        other.open("records", 1, key.seal("records", 1, b"x"))


def test_forgotten_keys_are_unwrapped_anew(vault):
    """After `forget` or `clear` no key object is left in the cache."""
    wrapped = vault.new_person_key(ANN)
    key = vault.key(ANN, *wrapped)
    vault.forget(ANN)
    vault.forget(BOB)
    again = vault.key(ANN, *wrapped)
    assert again is not key
    vault.clear()
    assert vault.key(ANN, *wrapped) is not again


def test_the_cache_is_bounded_and_drops_the_longest_unused(keyfile, clock, randomness):
    """Past its bound the cache lets go of the key that was not asked for longest."""
    vault = Vault(keyfile, clock, randomness, cached_keys_max=2)
    wrapped = {person: vault.new_person_key(person) for person in (ANN, BOB, PersonId(b"c" * 16))}
    ann, bob = vault.key(ANN, *wrapped[ANN]), vault.key(BOB, *wrapped[BOB])
    assert vault.key(ANN, *wrapped[ANN]) is ann
    vault.key(PersonId(b"c" * 16), *wrapped[PersonId(b"c" * 16)])
    assert vault.key(ANN, *wrapped[ANN]) is ann
    assert vault.key(BOB, *wrapped[BOB]) is not bob


def test_keys_that_cannot_be_unwrapped(vault):
    """A destroyed key, a key under an unknown one, a moved or altered key: each is told apart."""
    wrapped, key_id = vault.new_person_key(ANN)
    with pytest.raises(NotFound):
        vault.key(ANN, None, None)
    with pytest.raises(KeyFileMissing, match="last rotation"):
        vault.key(ANN, wrapped, "k-unknown")
    with pytest.raises(Corrupt):
        vault.key(BOB, wrapped, key_id)


# -- permits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        Refusal(Personalize, "withdrawn", "entry"),
        permit(person=BOB),
        permit(seconds=0),
        permit(seconds=-5),
        permit(purpose=Service),
        None,
    ],
)
def test_nothing_opens_without_a_matching_permit(shop, wrong):
    """A refusal, another person's permit, an expired one, one that keeps no records: nothing is opened."""
    key = shop.join("ann")
    shop.record(1, key, [{"purposes": P}], [(1, 1, 1, P)])
    with shop.store.read() as session:
        for door in (shop.vault.open_history, shop.vault.open_records):
            with pytest.raises(PermitNeeded):
                door(session, wrong, key)


def test_the_purpose_is_checked_where_it_is_named(shop):
    """A permit for one purpose does not open for another that the caller names."""
    key = shop.join("ann")
    with shop.store.read() as session:
        assert len(shop.vault.open_history(session, permit(), key, Personalize)) == 0
        with pytest.raises(PermitNeeded):
            shop.vault.open_history(session, permit(), key, Learn)


def test_a_permit_runs_out_while_it_is_held(shop, clock: FixedClock):
    """What opened a moment ago does not open once the permit has expired."""
    key = shop.join("ann")
    held = permit()
    with shop.store.read() as session:
        shop.vault.open_records(session, held, key)
        clock.move(seconds=30)
        with pytest.raises(PermitNeeded, match="expired"):
            shop.vault.open_records(session, held, key)


# -- history and records -------------------------------------------------------------------------------------------


def filled(shop):
    """Write three records of Ann's: acts for one purpose, for both, and for the other."""
    key = shop.join("ann")
    shop.record(1, key, [{"n": 1, "purposes": P}], [(10, 1, 1, P)])
    shop.record(2, key, [{"n": 2, "purposes": P | L}, {"n": 3, "purposes": L}], [(10, 2, 5, P | L), (11, 2, 1, L)])
    shop.record(3, key, [{"n": 4, "purposes": L}], [(12, 3, 1, L)])
    return key


def test_each_purpose_sees_its_own(shop):
    """History and records hold back what the permit's purpose was not given."""
    key = filled(shop)
    with shop.store.read() as session:
        assert told(shop.vault.open_history(session, permit(), key)) == [(10, 1, 1, P), (10, 2, 5, P | L)]
        learn = permit(purpose=Learn)
        assert told(shop.vault.open_history(session, learn, key)) == [(10, 2, 5, P | L), (11, 2, 1, L), (12, 3, 1, L)]
        assert [each.event["n"] for each in shop.vault.open_records(session, permit(), key)] == [1, 2]
        assert [each.event["n"] for each in shop.vault.open_records(session, learn, key)] == [2, 3, 4]
        assert len(shop.vault.export_history(session, key)) == 4
        exported = shop.vault.export_records(session, key)
        assert [(each.at_ms, each.purposes) for each in exported] == [
            (START_MS + 1, P),
            (START_MS + 2, P | L),
            (START_MS + 2, L),
            (START_MS + 3, L),
        ]


def test_many_histories_open_as_each_does_alone(shop):
    """Folded, loose, folded and loose, and empty ones: in the order asked for, and for a permit each."""
    keys = [shop.join(name) for name in ("ann", "ben", "cid", "dan")]
    for seq, (key, act) in enumerate([(keys[0], 1), (keys[1], 2), (keys[0], 3), (keys[2], 4), (keys[2], 5)], 1):
        shop.record(seq, key, [], [(act, seq, 1, P | L), (act + 10, seq, 1, P)])
        if seq in (3, 4):
            shop.store.write(lambda session, key=key: shop.vault.fold_history(session, key.person, key))
    for purpose in (Personalize, Learn):
        permits = [(permit(key.person, purpose), key) for key in reversed(keys)]
        with shop.store.read() as session:
            many = shop.vault.open_histories(session, permits, purpose)
            alone = [shop.vault.open_history(session, given, key, purpose) for given, key in permits]
        assert [told(each) for each in many] == [told(each) for each in alone]
        assert [len(each) for each in many] == [0, 2, 1, 2] if purpose is Learn else [0, 4, 2, 4]


@pytest.mark.parametrize("wrong", ["person", "purpose", "time"])
def test_one_wrong_permit_among_many_opens_nothing(shop, wrong):
    """Opening many histories at once checks every permit as opening one does."""
    ann, ben = shop.join("ann"), shop.join("ben")
    given = {
        "person": permit(ann.person, Learn),
        "purpose": permit(ben.person, Personalize),
        "time": permit(ben.person, Learn, seconds=0),
    }
    with shop.store.read() as session, pytest.raises(PermitNeeded):
        shop.vault.open_histories(session, [(permit(ann.person, Learn), ann), (given[wrong], ben)], Learn)


def test_a_held_history_reads_on_where_it_stopped(shop):
    """Whatever was written since, for whichever purpose, what is held tells what opening anew tells."""
    key = filled(shop)
    held, newest = None, 3
    for seq, purpose in (
        (3, Personalize),
        (4, Personalize),
        (4, Personalize),
        (5, Learn),
        (6, Learn),
        (6, Personalize),
    ):
        if seq > newest:
            newest = seq
            shop.record(seq, key, [{"purposes": P | L}], [(20 + seq, seq, 1, P if seq % 2 else P | L)])
        with shop.store.read() as session:
            leave = permit(purpose=purpose)
            held = shop.vault.hold_history(session, leave, key, held, newest)
            assert told(held.serving) == told(shop.vault.open_history(session, leave, key))
            assert held.complete == newest
            assert shop.vault.hold_history(session, leave, key, held, newest) is held
            later = shop.vault.hold_history(session, leave, key, held, newest + 1)
            assert later.serving is held.serving


def test_a_held_history_does_not_open_without_a_permit(shop, clock: FixedClock):
    """What lies open in memory is handed out under a permit for the person and the moment, as if it were sealed."""
    key = filled(shop)
    with shop.store.read() as session:
        held = shop.vault.hold_history(session, permit(), key, None, 3)
        for wrong in (None, permit(person=PersonId(b"ben".ljust(16))), permit(purpose=Service)):
            with pytest.raises(PermitNeeded):
                shop.vault.hold_history(session, wrong, key, held, 3)
        leave = permit()
        clock.move(seconds=30)
        with pytest.raises(PermitNeeded, match="expired"):
            shop.vault.hold_history(session, leave, key, held, 3)


def test_an_event_never_serves_more_than_its_record(shop):
    """Purposes inside an event cannot widen those of its record; events without any have their record's."""
    key = shop.join("ann")
    sealed = key.seal("records", 1, msgspec.msgpack.encode([{"purposes": 255}, {"purposes": "all"}, "text"]))
    row = RecordRow(1, ANN, START_MS, P, sealed, None)
    shop.store.write(lambda session: records.add_many(session, [row]))
    with shop.store.read() as session:
        assert [each.purposes for each in shop.vault.export_records(session, key)] == [P, P, P]
        assert shop.vault.open_records(session, permit(purpose=Learn), key) == []


def test_folding_changes_nothing_that_is_read(shop):
    """After folding, once or again, alone or with new trails, the history reads the same."""
    key = filled(shop)
    with shop.store.read() as session:
        before = told(shop.vault.export_history(session, key))
    for _ in range(2):
        assert shop.store.write(lambda session: shop.vault.fold_history(session, ANN, key)) == 4
        with shop.store.read() as session:
            assert records.history(session, ANN).through_seq == 3
            assert told(shop.vault.export_history(session, key)) == before
    shop.record(4, key, [{"n": 5, "purposes": P}], [(10, 9, 1, P)])
    with shop.store.read() as session:
        assert told(shop.vault.export_history(session, key)) == [*before[1:], (10, 9, 1, P)]


def test_nothing_to_fold(shop):
    """Somebody without history has none after folding, and no row is written."""
    key = shop.join("ann")
    assert shop.store.write(lambda session: shop.vault.fold_history(session, ANN, key)) == 0
    with shop.store.read() as session:
        assert records.history(session, ANN) is None
        assert shop.vault.export_history(session, key).dtype == HISTORY


@pytest.mark.parametrize("fold", [False, True])
def test_stripping_a_purpose_leaves_nothing_of_it(shop, fold):
    """After a withdrawal nothing that served only that purpose is left anywhere, and the rest serves the rest."""
    key = filled(shop)
    if fold:
        shop.store.write(lambda session: shop.vault.fold_history(session, ANN, key))
    assert shop.store.write(lambda session: shop.vault.strip(session, ANN, key, L)) == 1
    with shop.store.read() as session:
        assert told(shop.vault.export_history(session, key)) == [(10, 1, 1, P), (10, 2, 5, P)]
        kept = shop.vault.export_records(session, key)
        assert [(each.event["n"], each.purposes) for each in kept] == [(1, P), (2, P)]
        assert [(row.seq, row.purposes) for row in records.of(session, ANN)] == [(1, P), (2, P)]
        assert len(shop.vault.open_history(session, permit(purpose=Learn), key)) == 0
    assert shop.store.write(lambda session: shop.vault.strip(session, ANN, key, P)) == 2
    with shop.store.read() as session:
        assert records.of(session, ANN) == []
        assert len(shop.vault.export_history(session, key)) == 0


def test_stripping_what_no_history_tells(shop):
    """A record without a trail, with a trail that served the purpose alone, and with plain events is stripped, too."""
    key = shop.join("ann")
    shop.record(1, key, ["plain", {"purposes": P | L}])
    shop.record(2, key, [{"purposes": P}], [(1, 1, 1, L)])
    assert shop.store.write(lambda session: shop.vault.strip(session, ANN, key, L)) == 0
    with shop.store.read() as session:
        assert [row.trail for row in records.of(session, ANN)] == [None, None]
        assert [each.event for each in shop.vault.export_records(session, key)] == [
            "plain",
            {"purposes": P},
            {"purposes": P},
        ]


@pytest.mark.parametrize("content", [b"\xc1", b"\x01"])
def test_a_record_that_holds_no_list_is_corrupt(shop, content):
    """A seal that opens to something else than a list of events is told, not guessed at."""
    key = shop.join("ann")
    row = RecordRow(1, ANN, START_MS, P, key.seal("records", 1, content), None)
    shop.store.write(lambda session: records.add_many(session, [row]))
    with shop.store.read() as session, pytest.raises(Corrupt, match="list"):
        shop.vault.open_records(session, permit(), key)


def test_contributions_are_sealed_for_their_model(vault):
    """A contribution opens for the model it was added to, and for no other."""
    key = vault.key(ANN, *vault.new_person_key(ANN))
    sealed = vault.seal_contribution(key, "recommender", b"contribution")
    assert vault.open_contribution(key, "recommender", sealed) == b"contribution"
    with pytest.raises(Corrupt):
        vault.open_contribution(key, "another", sealed)


# -- rotation ------------------------------------------------------------------------------------------------------


def test_rotation_goes_on_where_it_stopped(shop, keyfile, clock):
    """Keys are wrapped anew a few at a time; at the end the old key is not needed, and every seal still opens."""
    sealed = {name: shop.join(name).seal("records", 1, name.encode()) for name in ("ann", "bob", "cid")}
    new = keyfile.rotated(randomness=SeededRandomness(5))
    with shop.store.read() as session:
        epoch = meta.epoch(session)
    left = [shop.store.write(lambda session: shop.vault.rewrap(session, new, 2)) for _ in range(3)]
    assert left == [1, 0, 0]
    with shop.store.read() as session:
        assert meta.epoch(session) == epoch + 2
    shop.join("dan")
    after = Vault(new.retired(), clock, SeededRandomness(6))
    with shop.store.read() as session:
        for name in (*sealed, "dan"):
            key = after.key(
                PersonId(name.encode().ljust(16, b"-")), *people.key(session, name.encode().ljust(16, b"-"))
            )
            assert name == "dan" or key.open("records", 1, sealed[name]) == name.encode()


def test_rotation_at_once(shop, keyfile):
    """Without a count every key is wrapped anew in one job."""
    shop.join("ann")
    new = keyfile.rotated(randomness=SeededRandomness(5))
    assert shop.store.write(lambda session: shop.vault.rewrap(session, new)) == 0
    with shop.store.read() as session:
        assert people.key(session, ANN)[1] == new.current


def test_rotation_refuses_what_it_cannot_unwrap(shop, keyfile, tmp_path):
    """Another store's key file, or a key wrapped by a key in neither file, is refused; nothing is changed."""
    other = KeyFile.make(tmp_path / "other.key", SeededRandomness(9))
    with pytest.raises(Conflict):
        shop.store.write(lambda session: shop.vault.rewrap(session, other))
    shop.join("ann")
    shop.store.write(lambda session: people.put_key(session, ANN, b"wrapped", "k-unknown"))
    with pytest.raises(KeyFileMissing):
        shop.store.write(lambda session: shop.vault.rewrap(session, keyfile.rotated(randomness=SeededRandomness(5))))


def test_message_key_is_derived_from_the_pepper(vault, keyfile):
    """The key of message digests is no stored secret itself."""
    assert vault.message_key == hmac.digest(keyfile.pepper, b"assent message ids", "sha256")
