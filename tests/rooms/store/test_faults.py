"""Faults of the database itself: commits that fail, connections that break, files that are damaged or full."""

import sqlite3

import pytest

from assent.store import Store, sqlite
from assent.store.sqlite import translate
from assent.store.topics import meta, people
from assent.terms.errors import AssentError, Busy, Conflict, Corrupt, InvalidInput, StoreUnavailable
from tests.rooms.store.jobs import Gate, facts, put


def link_of(store):
    """Return the writer's connection."""
    store.write(lambda _: None)
    return store._writer._link


@pytest.fixture
def postgresql_store(postgresql_server):
    """Return a fresh store on PostgreSQL alone, and what ends every connection to it from the server's side."""
    name = postgresql_server.take()
    ours = f"datname = '{name}' AND application_name = 'assent'"
    ends = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {ours}"
    with Store.open(postgresql_server.named(name)) as store:
        yield store, lambda: postgresql_server.run(ends)
    postgresql_server.give_back(name)


def test_a_commit_that_fails_fails_everybody_in_it(store, monkeypatch):
    """When the shared commit fails every job of it is expected so, nothing of it is kept, and the writer goes on."""
    link = link_of(store)

    class CommitFails:
        def __getattr__(self, name):
            return getattr(link, name)

        def commit(self):
            raise StoreUnavailable("The disk is full.")

    gate = Gate(store)
    futures = [store.submit(put("a")), store.submit(put("b"))]
    store._writer._link = CommitFails()
    gate.go.set()
    for future in futures:
        with pytest.raises(StoreUnavailable, match="disk is full"):
            future.result(10)
    store._writer._link = link
    store.write(put("c"))
    assert facts(store, "a", "b", "c") == [None, None, "x"]


def test_a_transaction_that_the_database_undid_fails_everybody_in_it(tmp_path):
    """When the database drops the whole transaction in the middle, no job of it is acknowledged."""
    with Store.open(tmp_path / "shop.db") as store:
        link = link_of(store)
        gate = Gate(store)
        first = store.submit(put("a"))
        second = store.submit(lambda _: link._connection.execute("ROLLBACK"))
        third = store.submit(put("c"))
        gate.go.set()
        for future in (first, second, third):
            with pytest.raises(StoreUnavailable, match="undid the whole transaction"):
                future.result(10)
        store.write(put("d"))
        assert facts(store, "a", "c", "d") == [None, None, "x"]


def test_a_full_disk_is_told_and_survived(tmp_path):
    """A write past the space there is fails with advice, alone or among others, and the store goes on."""
    with Store.open(tmp_path / "shop.db") as store:
        link = link_of(store)
        pages = link._connection.execute("PRAGMA page_count").fetchone()[0]
        link._connection.execute(f"PRAGMA max_page_count={pages + 5}")
        with pytest.raises(StoreUnavailable, match="Check free disk space"):
            store.write(put("large", "x" * 100_000))
        gate = Gate(store)
        futures = [store.submit(put("a")), store.submit(put("large", "x" * 100_000))]
        gate.go.set()
        with pytest.raises(StoreUnavailable):
            futures[1].result(10)
        assert (facts(store, "a") == ["x"]) == (futures[0].exception(10) is None)
        store.write(put("b"))
        assert facts(store, "large", "b") == [None, "x"]


def test_a_damaged_file_is_reported(tmp_path):
    """Damaged pages are reported as corruption with the advice to verify, not as something of the caller's."""
    path = tmp_path / "shop.db"
    with Store.open(path) as store:
        store.write(lambda session: [meta.put(session, str(number), "x" * 300) for number in range(200)])
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(Corrupt, match="assent verify"), Store.open(path) as store:
        facts(store, *map(str, range(200)))


def test_a_connection_that_breaks_under_a_job_is_told_and_replaced(postgresql_store):
    """A lost connection fails the jobs of its transaction as unavailable; the next job gets a new connection."""
    store, break_connections = postgresql_store

    def cut(session):
        meta.put(session, "b", "x")
        break_connections()
        meta.put(session, "c", "x")

    gate = Gate(store)
    futures = [store.submit(put("a")), store.submit(cut)]
    gate.go.set()
    for future in futures:
        with pytest.raises(StoreUnavailable):
            future.result(10)
    with pytest.raises(StoreUnavailable):
        store.write(lambda _: break_connections())
    store.write(put("d"))
    assert facts(store, "a", "b", "c", "d") == [None, None, None, "x"]


def test_connections_that_break_while_idle_are_replaced_unseen(postgresql_store):
    """Connections lost between jobs and reads are opened anew, and nobody notices."""
    store, break_connections = postgresql_store
    store.write(put("a"))
    assert facts(store, "a") == ["x"]
    break_connections()
    store.write(put("b"))
    assert facts(store, "a", "b") == ["x", "x"]


def test_a_connection_that_breaks_under_a_reader_is_told_and_replaced(postgresql_store):
    """A read whose connection is lost fails as unavailable, and the next read works."""
    store, break_connections = postgresql_store
    store.write(put("a"))
    with store.read() as session:
        assert meta.get(session, "a") == "x"
        break_connections()
        with pytest.raises(StoreUnavailable):
            meta.get(session, "a")
    assert facts(store, "a") == ["x"]


def test_a_server_that_is_gone_is_told_until_it_is_back(postgresql_store, monkeypatch):
    """While no connection can be had every job and read is refused as unavailable; afterwards they work again."""
    store, break_connections = postgresql_store
    backend, address = store._backend, store._backend._address
    store.write(put("a"))
    break_connections()
    from assent.store.address import read_address

    monkeypatch.setattr(backend, "_address", read_address("postgresql://127.0.0.1:1/nobody"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nobody"):
            store.write(put("b"))
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nobody"), store.read():
            pass
    monkeypatch.setattr(backend, "_address", address)
    store.write(put("c"))
    assert facts(store, "a", "b", "c") == ["x", None, "x"]


def test_a_failed_transaction_cannot_be_committed_by_mistake(postgresql_store):
    """PostgreSQL undoes a failed transaction silently at commit; the link refuses instead."""
    store, _ = postgresql_store
    link = link_of(store)
    link.begin_write()
    with pytest.raises(AssentError):
        people.add_identifier(link.session, "email", b"1", b"nobody")
    with pytest.raises(Conflict, match="cannot be kept"):
        link.commit()
    link.rollback()
    assert facts(store, "a") == [None]


def test_a_store_that_vanished_is_reported(tmp_path, postgresql_server):
    """Cleaning up a store whose file or tables are gone is refused as unavailable."""
    with Store.open(tmp_path / "shop.db") as store:
        (tmp_path / "shop.db").rename(tmp_path / "elsewhere.db")
        with pytest.raises(StoreUnavailable, match="The database refused"):
            store.checkpoint()
        (tmp_path / "elsewhere.db").rename(tmp_path / "shop.db")
    name = postgresql_server.make()
    with Store.open(postgresql_server.named(name)) as store:
        postgresql_server.run("DROP TABLE histories", database=name)
        with pytest.raises(StoreUnavailable):
            store.checkpoint()
    postgresql_server.drop(name)


def test_the_driver_of_postgresql_may_be_missing(monkeypatch):
    """Without the driver the advice is how to install it."""
    import sys

    monkeypatch.setitem(sys.modules, "assent.store.postgresql", None)
    with pytest.raises(StoreUnavailable, match="pip install"):
        Store.open("postgresql://127.0.0.1/shop")


def sqlite_error(code, kind=sqlite3.OperationalError, name="SQLITE_X"):
    """Return an error as the driver would raise it."""
    error = kind("x")
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY), Busy),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Busy),
        (sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE), Conflict),
        (sqlite_error(sqlite.CONSTRAINT_DATATYPE), InvalidInput),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), Corrupt),
        (sqlite_error(sqlite3.SQLITE_TOOBIG), InvalidInput),
        (sqlite_error(sqlite3.SQLITE_IOERR), StoreUnavailable),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), StoreUnavailable),
        (sqlite3.InterfaceError("Error binding parameter 0"), InvalidInput),
        (OverflowError(), InvalidInput),
    ],
)
def test_errors_of_sqlite_are_told_in_our_words(error, expected):
    """Every kind of driver error has its place in our own tree."""
    assert type(translate(error)) is expected


def test_errors_of_postgresql_are_told_in_our_words(postgresql_server):
    """Every kind of driver error has its place in our own tree."""
    from psycopg import errors

    from assent.store.postgresql import translate as translate_postgresql

    for error, expected in (
        (errors.LockNotAvailable(), Busy),
        (errors.DeadlockDetected(), Busy),
        (errors.UniqueViolation(), Conflict),
        (errors.NumericValueOutOfRange(), InvalidInput),
        (errors.DatatypeMismatch(), InvalidInput),
        (errors.ProgrammingError("cannot adapt"), InvalidInput),
        (errors.DataCorrupted(), Corrupt),
        (errors.OperationalError("lost"), StoreUnavailable),
        (errors.DiskFull(), StoreUnavailable),
        (errors.UndefinedTable(), StoreUnavailable),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), InvalidInput),
    ):
        assert type(translate_postgresql(error)) is expected, error
