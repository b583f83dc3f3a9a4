"""What each topic of the store promises, on both databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.store.topics import (
    api_keys,
    consents,
    decisions,
    erasures,
    imports,
    log,
    meta,
    people,
    records,
    seen_events,
    sums,
)
from assent.store.topics.consents import LedgerRow, NoticeRow
from assent.store.topics.decisions import DecisionRow
from assent.store.topics.erasures import ErasureRow
from assent.store.topics.log import CheckpointRow, LeafRow
from assent.store.topics.people import PersonRow
from assent.store.topics.records import HistoryRow, RecordRow
from assent.store.topics.sums import HeadRow
from assent.terms.errors import Conflict, InvalidInput
from tests.rooms.store.jobs import on, read
from tests.tables import all_people, drop_key

ANN, BOB, EVE = (letter * 16 for letter in (b"a", b"b", b"e"))


@pytest.fixture
def peopled(store):
    """Return a store that knows Ann and Bob."""
    on(store, people.add, ANN, 1)
    on(store, people.add, BOB, 2)
    return store


# -- meta ------------------------------------------------------------------------------------------------------------


def test_facts_are_kept_and_overwritten(store):
    """A fact is what was written last, and None before."""
    assert read(store, meta.get, "a") is None
    on(store, meta.put, "a", "1")
    on(store, meta.put, "a", "2")
    assert read(store, meta.get, "a") == "2"


def test_the_epoch_grows_by_one(store):
    """The epoch starts at 0 and each bump returns the new one, past nine too."""
    assert read(store, meta.epoch) == 0
    assert [on(store, meta.bump_epoch) for _ in range(12)] == list(range(1, 13))
    assert read(store, meta.epoch) == 12


def test_numbers_are_never_given_twice(peopled):
    """Numbers start at 1, follow each other, and are not given again after their rows were deleted."""
    first = on(peopled, meta.allocate, "records", 2)
    assert first == 1
    on(peopled, records.add_many, [RecordRow(first + n, ANN, 1, 1, b"s", None) for n in range(2)])
    on(peopled, people.delete, ANN)
    assert read(peopled, records.count) == 0
    assert on(peopled, meta.allocate, "records", 1) == 3
    assert on(peopled, meta.allocate, "other", 5) == 1
    assert on(peopled, meta.allocate, "other") == 6


def test_numbers_of_a_failed_job_may_be_given_again(store):
    """A job that fails has taken no numbers: whatever it wrote under them is gone too."""

    def fails(session):
        assert meta.allocate(session, "n", 4) == 1
        raise LookupError

    with pytest.raises(LookupError):
        store.write(fails)
    assert on(store, meta.allocate, "n") == 1


# -- people ----------------------------------------------------------------------------------------------------------


def test_people_are_added_once(peopled):
    """Adding a person again changes nothing; states are set only for people who are known."""
    on(peopled, people.set_state, ANN, "erasing")
    on(peopled, people.add, ANN, 9)
    assert read(peopled, people.state, ANN) == "erasing"
    assert read(peopled, people.state, BOB) == "active"
    assert read(peopled, people.state, EVE) is None
    assert on(peopled, people.set_state, EVE, "erasing") is False
    assert read(peopled, people.count) == 2
    assert read(peopled, all_people) == [ANN, BOB]


def test_everyone_is_read_page_by_page(store, monkeypatch):
    """More people than a page holds all come once, in order."""
    everybody = sorted(number.to_bytes(16, "big") for number in range(2_345))
    store.write(lambda session: [people.add(session, person, 1) for person in everybody])
    assert read(store, all_people) == everybody


def test_people_are_found_by_the_first_identifier_that_is_known(peopled):
    """Identifiers are tried in the order asked, and a kind never matches another kind's digest."""
    on(peopled, people.add_identifier, "user_id", b"1", ANN)
    on(peopled, people.add_identifier, "email", b"2", BOB)
    assert read(peopled, people.find, [("user_id", b"1"), ("email", b"2")]) == ANN
    assert read(peopled, people.find, [("email", b"2"), ("user_id", b"1")]) == BOB
    assert read(peopled, people.find, [("email", b"1"), ("user_id", b"2")]) is None
    assert read(peopled, people.find, [("email", b"1"), ("email", b"2")]) == BOB
    assert read(peopled, people.find, []) is None


def test_an_identifier_leads_to_one_person(peopled):
    """An identifier that leads to somebody stays theirs; the same digest may be another kind's."""
    on(peopled, people.add_identifier, "user_id", b"1", ANN)
    on(peopled, people.add_identifier, "user_id", b"1", BOB)
    on(peopled, people.add_identifier, "email", b"1", BOB)
    assert read(peopled, people.identifiers, ANN) == [("user_id", b"1")]
    assert read(peopled, people.identifiers, BOB) == [("email", b"1")]


def test_an_identifier_needs_a_person(store):
    """Nothing can be written about somebody who is not known: what arrives late cannot come back."""
    for function, arguments in (
        (people.add_identifier, ("email", b"1", EVE)),
        (people.put_key, (EVE, b"w", "k")),
        (consents.append, (entry("e", EVE),)),
        (records.add_many, ([RecordRow(1, EVE, 1, 1, b"s", None)],)),
        (records.put_history, (EVE, b"h", 1)),
        (decisions.add_many, ([DecisionRow(b"d" * 16, EVE, 1, "home", b"s")],)),
        (sums.put_contributions, ("m", [(EVE, b"c")])),
    ):
        with pytest.raises(Conflict):
            on(store, function, *arguments)


def test_merging_moves_identifiers(peopled):
    """Merging lets every identifier of one person lead to another, and moves nothing else."""
    on(peopled, people.add_identifier, "user_id", b"1", ANN)
    on(peopled, people.add_identifier, "email", b"2", ANN)
    on(peopled, people.put_key, ANN, b"w", "k")
    assert on(peopled, people.merge, ANN, BOB) == 2
    assert read(peopled, people.identifiers, BOB) == [("email", b"2"), ("user_id", b"1")]
    assert read(peopled, people.identifiers, ANN) == []
    assert read(peopled, people.key, ANN) == (b"w", "k")


def test_keys_are_replaced_listed_and_destroyed(peopled):
    """A person has one wrapped key, which may be rewritten while all are being read, and destroyed twice."""
    on(peopled, people.put_key, ANN, b"1", "old")
    on(peopled, people.put_key, BOB, b"2", "old")

    def rewrap(session):
        for person, wrapped, _ in people.all_keys(session):
            people.put_key(session, person, wrapped * 2, "new")

    peopled.write(rewrap)
    assert read(peopled, people.all_keys) == [(ANN, b"11", "new"), (BOB, b"22", "new")]
    assert on(peopled, drop_key, ANN) is True
    assert on(peopled, drop_key, ANN) is False
    assert read(peopled, people.key, ANN) is None


def test_loading_brings_state_and_key_at_once(peopled):
    """A person is loaded by their identifiers with state and key; a person without a key has none."""
    on(peopled, people.add_identifier, "user_id", b"1", ANN)
    on(peopled, people.add_identifier, "email", b"2", BOB)
    on(peopled, people.put_key, ANN, b"w", "k")
    on(peopled, people.set_state, BOB, "erasing")
    ann, bob = PersonRow(ANN, "active", b"w", "k"), PersonRow(BOB, "erasing", None, None)
    assert read(peopled, people.load, [("email", b"9"), ("user_id", b"1"), ("email", b"2")]) == ann
    assert read(peopled, people.load, [("email", b"1")]) is None
    assert read(peopled, people.load_many, [("email", b"2"), ("user_id", b"1"), ("email", b"1")]) == {
        ("email", b"2"): bob,
        ("user_id", b"1"): ann,
    }


def test_suppression_is_by_kind_and_digest(store):
    """A suppressed identifier stays so until it is let in again, and only that one."""
    on(store, people.suppress, "email", b"1", 5)
    on(store, people.suppress, "email", b"1", 6)
    assert read(store, people.suppressed, [("user_id", b"1"), ("email", b"1")])
    assert not read(store, people.suppressed, [("user_id", b"1"), ("email", b"2")])
    assert not read(store, people.suppressed, [])
    asked = [("user_id", b"1"), ("email", b"1")]
    assert read(store, people.suppressed_among, asked) == {("email", b"1")}
    on(store, people.unsuppress, [("user_id", b"1")])
    assert read(store, people.suppressed, [("email", b"1")])
    on(store, people.unsuppress, [("email", b"1")])
    assert not read(store, people.suppressed, [("email", b"1")])


# -- consents --------------------------------------------------------------------------------------------------------


def entry(entry_id, person=ANN, purpose="learn", action="granted", at_ms=1, expires_ms=None, evidence=None):
    """Return a ledger row with the fields that a test does not care about filled in."""
    return LedgerRow(entry_id, person, purpose, action, at_ms, expires_ms, "api", "hash", "en", evidence)


def test_the_ledger_keeps_every_entry_and_the_state_is_the_last(peopled):
    """Each entry gets the next place, all are kept in order, and the present state is the last appended."""
    rows = [entry("1", evidence=b"sealed"), entry("2", purpose="personalize"), entry("3", action="withdrawn", at_ms=7)]
    assert [on(peopled, consents.append, row) for row in rows] == [1, 2, 3]
    assert read(peopled, consents.entries, ANN) == rows
    assert read(peopled, consents.entry, "2") == rows[1]
    assert read(peopled, consents.entry, "9") is None
    now = read(peopled, consents.state, ANN, "learn")
    assert (now.action, now.at_ms, now.entry_id, now.notice_hash, now.source) == ("withdrawn", 7, "3", "hash", "api")
    assert read(peopled, consents.state, BOB, "learn") is None
    assert [row.purpose for row in read(peopled, consents.states, ANN)] == ["learn", "personalize"]


def test_states_of_many_are_read_at_once(peopled):
    """Everybody asked for is in the answer, those who never said anything with nothing."""
    on(peopled, consents.append, entry("1"))
    found = read(peopled, consents.states_many, [ANN, BOB, ANN])
    assert found == {ANN: read(peopled, consents.states, ANN), BOB: []}


def test_an_entry_id_is_used_once(peopled):
    """Two entries cannot have one public id, and the second leaves no trace in the state."""
    on(peopled, consents.append, entry("1"))
    with pytest.raises(Conflict):
        on(peopled, consents.append, entry("1", action="withdrawn"))
    assert read(peopled, consents.state, ANN, "learn").action == "granted"


def test_who_grants_now(peopled):
    """Only grants in force count: not expired, not withdrawn, not of somebody being erased."""
    on(peopled, people.add, EVE, 3)
    on(peopled, consents.append, entry("1", ANN, expires_ms=10))
    on(peopled, consents.append, entry("2", BOB))
    on(peopled, consents.append, entry("3", EVE))
    assert read(peopled, consents.granted_people, "learn", 9) == [ANN, BOB, EVE]
    assert read(peopled, consents.granted_people, "learn", 10) == [BOB, EVE]
    on(peopled, consents.append, entry("4", BOB, action="withdrawn"))
    on(peopled, people.set_state, EVE, "erasing")
    assert read(peopled, consents.granted_people, "learn", 9) == [ANN]
    assert read(peopled, consents.granted_people, "personalize", 9) == []


def test_notices_are_kept_as_they_were_first(store):
    """A notice is found by its digest and never changes."""
    on(store, consents.put_notice, "h", "en", "words")
    on(store, consents.put_notice, "h", "en", "other words")
    assert read(store, consents.notice, "h") == NoticeRow("h", "en", "words")
    assert read(store, consents.notice, "i") is None


# -- records ---------------------------------------------------------------------------------------------------------


def test_records_come_back_as_written(peopled):
    """A person's records come oldest first, with and without a trail, and nobody else's."""
    rows = [
        RecordRow(2, ANN, 5, 3, b"s2", None),
        RecordRow(1, ANN, 6, 1, b"s1", b"t1"),
        RecordRow(3, BOB, 1, 1, b"", b"t"),
    ]
    on(peopled, records.add_many, rows)
    assert read(peopled, records.of, ANN) == [rows[1], rows[0]]
    assert read(peopled, records.count) == 3
    on(peopled, records.add_many, [])
    with pytest.raises(Conflict):
        on(peopled, records.add_many, [rows[0]])


def test_a_record_is_replaced_under_its_number(peopled):
    """Replacing changes seal, trail and purposes of one record and keeps the rest."""
    on(peopled, records.add_many, [RecordRow(1, ANN, 5, 3, b"s", b"t"), RecordRow(2, ANN, 5, 3, b"s", b"t")])
    assert on(peopled, records.replace, 1, b"new", None, 2) is True
    assert on(peopled, records.replace, 9, b"new", None, 2) is False
    assert read(peopled, records.of, ANN) == [
        RecordRow(1, ANN, 5, 2, b"new", None),
        RecordRow(2, ANN, 5, 3, b"s", b"t"),
    ]


def test_stripping_a_purpose_deletes_what_serves_nothing(peopled):
    """A purpose's bit goes from one person's records alone, and records that serve nothing are deleted and counted."""
    rows = [RecordRow(seq, ANN, 5, bits, b"s", None) for seq, bits in ((1, 1), (2, 3), (3, 2), (4, 31))]
    on(peopled, records.add_many, [*rows, RecordRow(5, BOB, 5, 1, b"s", None)])
    assert on(peopled, records.strip_purpose, ANN, 1) == 1
    assert [(row.seq, row.purposes) for row in read(peopled, records.of, ANN)] == [(2, 2), (3, 2), (4, 30)]
    assert on(peopled, records.strip_purpose, ANN, 1) == 0
    assert on(peopled, records.strip_purpose, ANN, 2) == 2
    assert [row.purposes for row in read(peopled, records.of, BOB)] == [1]


def test_histories_and_loose_trails(peopled):
    """A history replaces the one before; the loose trails are those after it, for one person or many."""
    on(
        peopled,
        records.add_many,
        [RecordRow(seq, ANN, 5, 1, b"s", trail) for seq, trail in ((1, b"1"), (2, None), (3, b"3"))],
    )
    on(peopled, records.add_many, [RecordRow(4, BOB, 5, 1, b"s", b"4")])
    assert read(peopled, records.history, ANN) is None
    assert read(peopled, records.trails, ANN, 0) == [(1, b"1"), (3, b"3")]
    assert read(peopled, records.trails_of, [ANN, BOB, EVE]) == {ANN: [(1, b"1"), (3, b"3")], BOB: [(4, b"4")], EVE: []}
    on(peopled, records.put_history, ANN, b"h", 0)
    on(peopled, records.put_history, ANN, b"h1", 1)
    assert read(peopled, records.history, ANN) == HistoryRow(b"h1", 1)
    assert read(peopled, records.trails, ANN, 1) == [(3, b"3")]
    assert read(peopled, records.trails_of, [ANN, BOB]) == {ANN: [(3, b"3")], BOB: [(4, b"4")]}
    assert read(peopled, records.histories_of, [ANN, BOB, ANN]) == {ANN: HistoryRow(b"h1", 1)}
    assert on(peopled, records.drop_history, ANN) is True
    assert on(peopled, records.drop_history, ANN) is False


# -- events seen -----------------------------------------------------------------------------------------------------


def digests(*numbers):
    """Return distinct 16-byte digests, scattered like real ones."""
    return [(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128).to_bytes(16, "big") for number in numbers]


def test_events_are_seen_once_added(store):
    """Digests that were added before are found among new ones."""
    old, new = digests(*range(1, 700)), digests(*range(700, 900))
    on(store, seen_events.add_seen, old)
    assert read(store, seen_events.seen, [*new, *old]) == set(old)
    assert read(store, seen_events.seen, []) == set()
    on(store, seen_events.add_seen, [])
    on(store, seen_events.add_seen, [*new, *new, *old[:5]])
    assert read(store, seen_events.seen, [*old, *new]) == {*old, *new}


def test_events_of_a_failed_job_are_new_again(store):
    """What a job that failed had noted as seen is not seen, though another job looked at it meanwhile."""
    kept, lost = digests(1), digests(2)

    def fails(session):
        seen_events.add_seen(session, [lost[0]])
        assert seen_events.seen(session, lost) == {*lost}
        raise LookupError

    on(store, seen_events.add_seen, [kept[0]])
    with pytest.raises(LookupError):
        store.write(fails)
    assert on(store, seen_events.seen, [*kept, *lost]) == set(kept)
    on(store, seen_events.add_seen, [lost[0]])
    assert on(store, seen_events.seen, [*kept, *lost]) == {*kept, *lost}


def test_blocks_stay_few(store):
    """However small the additions, they are kept in few blocks, and very large blocks are left as they are."""

    def job(session):
        for number in range(1, 301):
            seen_events.add_seen(session, digests(number))
        return len(session.all(seen_events._LIVE))

    assert store.write(job) <= 10
    assert on(store, seen_events.seen, digests(*range(1, 400))) == set(digests(*range(1, 301)))


def test_a_full_block_is_not_written_again(store, monkeypatch):
    """A block at its largest size stays under its name while smaller ones are merged."""
    monkeypatch.setattr(seen_events, "BLOCK_DIGESTS", 8)

    def job(session):
        seen_events.add_seen(session, digests(*range(8)))
        full = session.all(seen_events._LIVE)
        seen_events.add_seen(session, digests(*range(8, 20)))
        seen_events.add_seen(session, digests(20, 21))
        return set(full) <= set(session.all(seen_events._LIVE))

    assert store.write(job)
    assert on(store, seen_events.seen, digests(*range(30))) == set(digests(*range(22)))


def test_a_digest_has_sixteen_bytes(store):
    """A digest of another length is refused, asking and adding."""
    with pytest.raises(InvalidInput, match="16 bytes"):
        on(store, seen_events.add_seen, [b"short"])
    with pytest.raises(InvalidInput, match="16 bytes"):
        read(store, seen_events.seen, [b"x" * 17])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.binary(min_size=16, max_size=16), max_size=400), max_size=8))
def test_seen_is_a_set(store, batches):
    """Whatever is added in whatever batches, what is seen is exactly what was added."""
    asked = [digest for batch in batches for digest in batch] + digests(*range(20))

    def job(session):
        before = seen_events.seen(session, asked)
        for batch in batches:
            seen_events.add_seen(session, batch)
        return before, seen_events.seen(session, asked)

    before, after = store.write(job)
    assert after == before | {digest for batch in batches for digest in batch}


# -- decisions, sums, log, erasures, keys, imports -------------------------------------------------------------------


def test_decisions_about_somebody_and_nobody(peopled):
    """Decisions are counted, and a person's own come oldest first."""
    rows = [
        DecisionRow(letter * 16, person, at, "home", b"s")
        for letter, person, at in ((b"1", ANN, 2), (b"2", ANN, 1), (b"3", None, 1))
    ]
    on(peopled, decisions.add_many, rows)
    assert read(peopled, decisions.of, ANN) == [rows[1], rows[0]]
    assert read(peopled, decisions.of, BOB) == []
    assert read(peopled, decisions.count) == 3


def test_the_head_of_a_sum_is_replaced(store):
    """Each model has one head, the last written; its version alone can be asked for."""
    assert read(store, sums.head, "m") is None
    assert read(store, sums.version, "m") == 0
    for version in (1, 2):
        row = HeadRow("m", version, 3, 4, "digest", b"\x00" * 24, 5, 0)
        on(store, sums.put_head, row)
    assert read(store, sums.head, "m") == row
    assert read(store, sums.version, "m") == 2
    assert read(store, sums.head, "other") is None


def test_rows_of_a_sum_are_read_by_version(store):
    """Rows changed after a version come in the order of items, more than a page of them too, from any iterable."""
    on(store, sums.put_rows, "m", 1, ((item, b"%d" % item) for item in range(450)))
    on(store, sums.put_rows, "m", 2, [(7, b"new"), (449, b"new")])
    on(store, sums.put_rows, "other", 9, [(7, b"theirs")])
    assert read(store, sums.rows_after, "m", 1) == [(7, 2, b"new"), (449, 2, b"new")]
    assert [item for item, _, _ in read(store, sums.rows_after, "m", 0)] == list(range(450))
    assert read(store, sums.count_after, "m", 0) == 450
    assert read(store, sums.count_after, "m", 1) == 2
    assert read(store, sums.count_after, "m", 2) == 0


def test_clearing_a_sum_leaves_others_and_contributions(peopled):
    """Clearing takes a model's head and rows, not another's, and not what people added."""
    on(peopled, sums.put_rows, "m", 1, [(1, b"r")])
    on(peopled, sums.put_rows, "n", 1, [(1, b"r")])
    on(peopled, sums.put_head, HeadRow("m", 1, 3, 4, "digest", b"", 5, 0))
    on(peopled, sums.put_contributions, "m", [(ANN, b"c")])
    on(peopled, sums.clear, "m")
    assert read(peopled, sums.head, "m") is None
    assert read(peopled, sums.rows_after, "m", 0) == []
    assert read(peopled, sums.count_after, "n", 0) == 1
    assert read(peopled, sums.contribution, "m", ANN) == b"c"


def test_contributions_are_kept_by_person(peopled):
    """What a person added is replaced, listed in order, and dropped."""
    on(peopled, sums.put_contributions, "m", [(BOB, b"b"), (ANN, b"a")])
    assert on(peopled, sums.contributions_of, "m", [BOB, b"nobody"]) == {BOB: b"b"}
    assert on(peopled, sums.contributions_of, "other", [ANN, BOB]) == {}
    on(peopled, sums.put_contributions, "m", [(ANN, b"a2")])
    on(peopled, sums.put_contributions, "n", [(ANN, b"theirs")])
    assert read(peopled, sums.contributions, "m") == [(ANN, b"a2"), (BOB, b"b")]
    assert on(peopled, sums.drop_contribution, "m", ANN) is True
    assert on(peopled, sums.drop_contribution, "m", ANN) is False
    assert read(peopled, sums.contribution, "m", ANN) is None
    assert read(peopled, sums.contribution, "n", ANN) == b"theirs"


def leaf(idx, person=None, detail=None):
    """Return a leaf with the fields that a test does not care about filled in."""
    return LeafRow(idx, bytes([idx]) * 32, 5, "kind", person, detail)


def test_leaves_are_appended_once_at_their_place(store):
    """Leaves are kept in order; a place cannot be taken twice."""
    assert read(store, log.size) == 0
    rows = [leaf(idx, ANN if idx % 2 else None, b"d") for idx in range(5)]
    on(store, log.append_leaves, rows)
    assert read(store, log.size) == 5
    assert read(store, log.leaves) == rows
    assert read(store, log.leaves, 1, 3) == rows[1:3]
    assert read(store, log.leaf, 4) == rows[4]
    assert read(store, log.leaf, 5) is None
    assert read(store, log.of, ANN) == [rows[1], rows[3]]
    with pytest.raises(Conflict):
        on(store, log.append_leaves, [leaf(2)])


def test_forgetting_details_keeps_the_leaves(store):
    """A person's leaves lose the person and the details and nothing else."""
    on(store, log.append_leaves, [leaf(0, ANN, b"d"), leaf(1, BOB, b"d")])
    assert on(store, log.drop_details, ANN) == 1
    assert read(store, log.leaves) == [leaf(0), leaf(1, BOB, b"d")]


def test_checkpoints_are_kept_by_size(store):
    """Checkpoints come smallest first, one for each size, and the last is known."""
    assert read(store, log.last_checkpoint) is None
    for size in (2, 1, 2):
        on(store, log.put_checkpoint, size, b"r", f"note {size}")
    assert read(store, log.checkpoints) == [CheckpointRow(1, b"r", "note 1"), CheckpointRow(2, b"r", "note 2")]
    assert read(store, log.last_checkpoint) == CheckpointRow(2, b"r", "note 2")


def test_an_erasure_goes_from_step_to_step(store):
    """An erasure is open until it is completed once, with its certificate."""
    first, second = ErasureRow(b"1" * 16, ANN, "requested", 5), ErasureRow(b"2" * 16, BOB, "requested", 4)
    on(store, erasures.add, first)
    on(store, erasures.add, second)
    with pytest.raises(Conflict):
        on(store, erasures.add, first)
    assert read(store, erasures.open_ones) == [second, first]
    assert on(store, erasures.advance, first.erasure_id, "suppressed") is True
    assert on(store, erasures.advance, first.erasure_id, "subtracted", '{"rows": 3}') is True
    assert on(store, erasures.advance, b"9" * 16, "suppressed") is False
    assert on(store, erasures.complete, first.erasure_id, 9, "{}") is True
    assert on(store, erasures.complete, first.erasure_id, 10, "another") is False
    done = ErasureRow(first.erasure_id, ANN, "completed", 5, 9, '{"rows": 3}', "{}")
    assert read(store, erasures.get, first.erasure_id) == done
    assert read(store, erasures.get, b"9" * 16) is None
    assert read(store, erasures.open_ones) == [second]
    assert read(store, erasures.of_person, ANN) == [done]
    assert read(store, erasures.all) == [second, done]


def test_api_keys_have_one_role(store):
    """A key's digest leads to its role; a digest is added once."""
    on(store, api_keys.add, b"d" * 32, "server", "the shop", 5)
    assert read(store, api_keys.role, b"d" * 32) == "server"
    assert read(store, api_keys.role, b"e" * 32) is None
    assert read(store, api_keys.count) == 1
    with pytest.raises(Conflict):
        on(store, api_keys.add, b"d" * 32, "officer", "again", 6)


def test_imports_move_forward(store):
    """An import's progress is what was noted last."""
    assert read(store, imports.progress, "file") is None
    on(store, imports.advance, "file", 10, '{"imported": 9}')
    on(store, imports.advance, "file", 20, '{"imported": 19}')
    assert read(store, imports.progress, "file") == (20, '{"imported": 19}')
