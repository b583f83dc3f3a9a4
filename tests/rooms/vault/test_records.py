"""History and records: what each purpose sees, what folding leaves, what a withdrawal takes."""

from __future__ import annotations

import msgspec
import pytest

from assent.store.topics import records
from assent.store.topics.records import RecordRow
from assent.terms.errors import Corrupt, PermitNeeded
from assent.terms.ids import PersonId
from assent.terms.purposes import Learn, Personalize, Service
from assent.testing import START_MS, FixedClock
from assent.vault import HISTORY
from tests.rooms.vault.histories import ANN, BOUGHT, L, P, deed, deeds_of, permit

#: What Ann did: acts for one purpose, for both, and for the other.
LOOK = deed(item=10, day=1, purposes=P)
ORDER = deed(item=10, day=2, act=BOUGHT, purposes=P | L)
OTHER = deed(item=11, day=2, purposes=L)
LAST = deed(item=12, day=3, purposes=L)


def filled(shop):
    """Write three records of what Ann did."""
    key = shop.join("ann")
    shop.record(1, key, [{"n": 1, "purposes": P}], [LOOK])
    shop.record(2, key, [{"n": 2, "purposes": P | L}, {"n": 3, "purposes": L}], [ORDER, OTHER])
    shop.record(3, key, [{"n": 4, "purposes": L}], [LAST])
    return key


def test_each_purpose_sees_its_own(shop):
    """History and records hold back what the permit's purpose was not given."""
    key = filled(shop)
    with shop.store.read() as session:
        assert deeds_of(shop.vault.open_history(session, permit(), key)) == [LOOK, ORDER]
        learn = permit(purpose=Learn)
        assert deeds_of(shop.vault.open_history(session, learn, key)) == [ORDER, OTHER, LAST]
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
    for seq, (key, item) in enumerate([(keys[0], 1), (keys[1], 2), (keys[0], 3), (keys[2], 4), (keys[2], 5)], 1):
        acts = [deed(item=item, day=seq, purposes=P | L), deed(item=item + 10, day=seq)]
        shop.record(seq, key, [], acts)
        if seq in (3, 4):
            shop.store.write(lambda session, key=key: shop.vault.fold_history(session, key.person, key))
    for purpose in (Personalize, Learn):
        permits = [(permit(key.person, purpose), key) for key in reversed(keys)]
        with shop.store.read() as session:
            many = shop.vault.open_histories(session, permits, purpose)
            alone = [shop.vault.open_history(session, given, key, purpose) for given, key in permits]
        assert [deeds_of(each) for each in many] == [deeds_of(each) for each in alone]
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
            act = deed(item=20 + seq, day=seq, purposes=P if seq % 2 else P | L)
            shop.record(seq, key, [{"purposes": P | L}], [act])
        with shop.store.read() as session:
            leave = permit(purpose=purpose)
            held = shop.vault.hold_history(session, leave, key, held, newest)
            assert deeds_of(held.serving) == deeds_of(shop.vault.open_history(session, leave, key))
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
        before = deeds_of(shop.vault.export_history(session, key))
    for _ in range(2):
        assert shop.store.write(lambda session: shop.vault.fold_history(session, ANN, key)) == 4
        with shop.store.read() as session:
            assert records.history(session, ANN).through_seq == 3
            assert deeds_of(shop.vault.export_history(session, key)) == before
    again = deed(item=LOOK.item, day=9)
    shop.record(4, key, [{"n": 5, "purposes": P}], [again])
    with shop.store.read() as session:
        assert deeds_of(shop.vault.export_history(session, key)) == [*before[1:], again]


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
        assert deeds_of(shop.vault.export_history(session, key)) == [LOOK, ORDER._replace(purposes=P)]
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
    shop.record(2, key, [{"purposes": P}], [deed(item=1, purposes=L)])
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
    """A seal that opens to something else than a list of events is reported, not guessed at."""
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
