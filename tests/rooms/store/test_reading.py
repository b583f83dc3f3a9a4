"""Reading: consistent snapshots, many at once, never writing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import bindparam, select

from assent.store import Store, plans, sqlite
from assent.store.plans import LIST_VALUES
from assent.store.statements import among
from assent.store.tables import META, SEQUENCES
from assent.store.topics import meta, people
from assent.terms.errors import AssentError, Busy, Conflict, InvalidInput, StoreUnavailable
from tests.rooms.store.jobs import put
from tests.tables import all_people


def test_a_read_sees_one_moment(store):
    """What is written while a read is open stays invisible to it, and is visible to the next."""
    store.write(put("a", "1"))
    with store.read() as session:
        assert meta.get(session, "a") == "1"
        store.write(put("a", "2"))
        assert meta.get(session, "a") == "1"
        with store.read() as other:
            assert meta.get(other, "a") == "2"
        assert meta.get(session, "a") == "1"
    with store.read() as session:
        assert meta.get(session, "a") == "2"


def test_a_read_begun_before_a_write_job_ends_does_not_see_it(store):
    """A reader inside another's write job sees the state before it."""
    store.write(put("a", "1"))
    seen = []

    def job(session):
        meta.put(session, "a", "2")
        with store.read() as reading:
            seen.append(meta.get(reading, "a"))
        seen.append(meta.get(session, "a"))

    store.write(job)
    assert seen == ["1", "2"]


def test_reading_cannot_write(store):
    """A write on a reading session is refused by the database itself."""
    with store.read() as session:
        assert not session.writable
        with pytest.raises(AssentError):
            meta.put(session, "a", "1")
    with store.read() as session:
        assert meta.get(session, "a") is None


def test_an_error_inside_a_read_ends_it_cleanly(store):
    """After an error in a read the connection serves the next, with a new snapshot."""

    def fails():
        with store.read() as session:
            assert meta.get(session, "a") is None
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    store.write(put("a", "1"))
    with store.read() as session:
        assert meta.get(session, "a") == "1"


def test_many_threads_read_at_once(store):
    """Threads read side by side while another writes, each within its own snapshot."""
    store.write(lambda session: (meta.put(session, "a", "0"), meta.put(session, "b", "0")))
    torn = []
    done = threading.Event()

    def watch():
        while not done.is_set():
            with store.read() as session:
                if meta.get(session, "a") != meta.get(session, "b"):
                    torn.append(1)

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(50):
        store.write(lambda session, n=str(number): (meta.put(session, "a", n), meta.put(session, "b", n)))
    done.set()
    for thread in threads:
        thread.join()
    assert torn == []


def test_a_read_still_open_when_the_store_closes_ends_without_harm(store_url):
    """Closing a store under a reader leaves nothing open behind."""
    store = Store.open(store_url)
    with store.read() as session:
        assert meta.get(session, "a") is None
        store.close()
    with pytest.raises(StoreUnavailable), store.read():
        pass


def test_closing_waits_for_the_reads_of_other_threads(store_url):
    """A read that another thread is in the middle of ends before the last connection closes and takes the log along."""
    store = Store.open(store_url)
    store.write(lambda session: meta.put(session, "a", "x"))
    reading, over, ended = threading.Event(), threading.Event(), []

    def read() -> None:
        with store.read() as session:
            meta.get(session, "a")
            reading.set()
            over.wait(10)
            ended.append(meta.get(session, "a"))

    with ThreadPoolExecutor(2) as threads:
        reader = threads.submit(read)
        assert reading.wait(10)
        closing = threads.submit(store.close)
        with pytest.raises(TimeoutError):
            closing.result(0.2)
        over.set()
        closing.result(10)
        assert ended == ["x"]
        assert store.path is None or not store.path.with_name(store.path.name + "-wal").exists()
        reader.result(10)


@pytest.mark.parametrize("count", [0, 1, 2, 3, LIST_VALUES, LIST_VALUES + 1, 3 * LIST_VALUES + 7])
def test_lists_of_any_length(store, count):
    """A list parameter may be empty or far longer than one query takes; each row comes once."""
    blinds = [number.to_bytes(32, "big") for number in range(count)]
    person = b"p" * 16

    def job(session):
        people.add(session, person, 1)
        for blind in blinds:
            people.add_identifier(session, "email", blind, person)

    store.write(job)
    with store.read() as session:
        found = people.load_many(session, [("email", blind) for blind in (*blinds, b"unknown")])
    assert sorted(found) == [("email", blind) for blind in blinds]


def test_lists_in_statements_that_change_rows(store):
    """Changing rows by a list counts each row once, in one chunk or several, beside other parameters."""
    statement = META.update().values(value=bindparam("to")).where(among(META.c.key, "keys"), META.c.value == "1")
    keys = [f"k{number}" for number in range(LIST_VALUES + 20)]
    store.write(lambda session: [meta.put(session, key, "1") for key in keys])
    assert store.write(lambda session: session.run(statement, {"to": "2", "keys": keys})) == len(keys)
    assert store.write(lambda session: session.run(statement, {"to": "3", "keys": keys[:3]})) == 0
    with store.read() as session:
        assert {meta.get(session, key) for key in keys} == {"2"}


def test_rows_by_name_and_by_field(store):
    """Many rows may be mappings or named tuples, whose fields need not be in the statement's order."""
    from typing import NamedTuple

    class Fact(NamedTuple):
        value: str
        key: str

    class Plain(NamedTuple):
        key: str
        value: str

    statement = META.insert().values(key=bindparam("key"), value=bindparam("value"))

    def job(session):
        session.run_many(statement, [{"value": "1", "key": "a"}, {"value": "2", "key": "b"}])
        session.run_many(statement, [Fact("3", "c")])
        session.run_many(statement, [Plain("d", "4")])
        session.run_many(statement, [])

    store.write(job)
    with store.read() as session:
        assert [meta.get(session, key) for key in "abcd"] == ["1", "2", "3", "4"]


def test_one_parameter_for_many_rows(store):
    """A statement with a single parameter runs for many named tuples too."""
    from typing import NamedTuple

    class Key(NamedTuple):
        key: str

    store.write(lambda session: [meta.put(session, key, "1") for key in "abc"])
    statement = META.delete().where(META.c.key == bindparam("key"))
    store.write(lambda session: session.run_many(statement, [Key("a"), Key("c")]))
    with store.read() as session:
        assert [meta.get(session, key) for key in "abc"] == [None, "1", None]


def test_constants_of_a_statement_need_not_be_given(store):
    """A value written into the statement is used unless a parameter of its name is given."""
    statement = select(SEQUENCES.c.name).where(SEQUENCES.c.next > 5, SEQUENCES.c.name != bindparam("but"))
    store.write(lambda session: [meta.allocate(session, name, count) for name, count in (("a", 9), ("b", 9), ("c", 1))])
    with store.read() as session:
        assert session.all(statement, {"but": "a"}) == [("b",)]


def test_statements_made_anew_each_time_do_not_pile_up(store, monkeypatch):
    """The cache of compiled statements stays bounded."""
    monkeypatch.setattr(plans, "KEPT_PLANS", 20)
    with store.read() as session:
        for number in range(50):
            session.all(select(META.c.key).where(META.c.value == str(number)))
        assert len(session._compiled) <= 20


@pytest.mark.parametrize("value", [2**63, "soon", "\ud800", object()], ids=["too large", "text", "surrogate", "object"])
def test_values_that_do_not_fit_are_reported(store, value):
    """A number past 64 bits, a broken text or a value of the wrong type is invalid input, and the writer survives."""

    def job(session):
        if value == "\ud800":
            meta.put(session, "a", value)
        else:
            people.add(session, b"p" * 16, value)

    with pytest.raises(InvalidInput):
        store.write(job)
    store.write(put("a", "1"))
    with store.read() as session:
        assert people.count(session) == 0


def test_a_broken_rule_is_a_conflict_without_the_value(store):
    """An error about stored rows never repeats what was to be stored."""
    with pytest.raises(Conflict) as caught:
        store.write(lambda session: people.add_identifier(session, "email", b"blind", b"somebody unknown"))
    assert "somebody" not in str(caught.value)


def test_bytes_come_back_as_bytes(store):
    """Binary values are plain bytes on both databases, empty ones and those with every byte too."""
    person, wrapped = b"\x00" * 16, bytes(range(256)) * 40
    store.write(lambda session: (people.add(session, person, 1), people.put_key(session, person, wrapped, "k")))
    with store.read() as session:
        key = people.key(session, person)
        assert key == (wrapped, "k")
        assert type(key[0]) is bytes
        assert [type(each) for each in all_people(session)] == [bytes]


def test_an_emptied_log_holds_nothing(tmp_path):
    """After a checkpoint the log beside the file is empty, and what was deleted is nowhere in either."""
    path = tmp_path / "shop.db"
    with Store.open(path) as store:
        store.write(put("canary", "a-secret-worth-finding"))
        store.checkpoint()
        assert b"a-secret-worth-finding" in path.read_bytes()
        store.write(put("canary", "gone"))
        store.checkpoint()
        assert (tmp_path / "shop.db-wal").stat().st_size == 0
        assert b"a-secret-worth-finding" not in path.read_bytes()


def test_a_log_that_is_still_read_is_not_emptied(tmp_path, monkeypatch):
    """While a reader sees an older state the log cannot be emptied, and the caller is reported."""
    monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 0.02)
    with Store.open(tmp_path / "shop.db") as store:
        store.write(put("a", "1"))
        with store.read() as session:
            assert meta.get(session, "a") == "1"
            store.write(put("a", "2"))
            with pytest.raises(Busy, match="reader"):
                store.checkpoint()
        store.checkpoint()


def test_a_checkpoint_leaves_everything_readable(store):
    """Cleaning up changes nothing that is stored, on either database."""
    store.write(put("a", "1"))
    store.checkpoint()
    with store.read() as session:
        assert meta.get(session, "a") == "1"


@pytest.mark.parametrize("count", [1, 2, 3, plans.ROWS_AT_ONCE - 1, plans.ROWS_AT_ONCE, 3 * plans.ROWS_AT_ONCE + 7])
def test_many_rows_go_in_whole(store, count):
    """However many rows are inserted at once, each is there once, in its own words; a key that is taken undoes all."""
    rows = [{"key": f"k{number}", "value": f"v{number}"} for number in range(count)]
    statement = META.insert().values(key=bindparam("key"), value=bindparam("value"))
    store.write(lambda session: session.run_many(statement, rows))
    with store.read() as session:
        assert [meta.get(session, row["key"]) for row in rows] == [row["value"] for row in rows]

    def again(session):
        session.run_many(statement, [{"key": f"new{number}", "value": ""} for number in range(70)] + rows[-1:])

    with pytest.raises(Conflict):
        store.write(again)
    with store.read() as session:
        assert meta.get(session, "new0") is None


def test_many_rows_overwrite_in_order(store):
    """An upsert of many rows ends as it would one by one: the last row of a key stands."""
    person = b"p" * 16
    store.write(lambda session: people.add(session, person, 1))
    statement = people._PUT_KEY
    rows = [{"person": person, "wrapped": bytes([number]), "key_id": str(number)} for number in range(9)]
    store.write(lambda session: session.run_many(statement, rows))
    with store.read() as session:
        assert people.key(session, person) == (b"\x08", "8")
