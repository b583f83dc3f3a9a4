"""Making, migrating and refusing schemas."""

import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from assent.store import Store, migrate, path_of
from assent.store.address import read_address
from assent.store.columns import METADATA
from assent.store.sqlite import Sqlite
from assent.store.store import _server
from assent.store.topics import meta, sums
from assent.terms.errors import InvalidInput, StoreNewer, StoreUnavailable
from tests.rooms.store.jobs import at_once


def backend_of(url):
    """Return the backend that a store of this URL would use."""
    address = read_address(url)
    return _server(address) if address.path is None else Sqlite(address.path, create=False)


def run_raw(url, statement):
    """Run one statement on the database, past the store."""
    engine = backend_of(url).engine()
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
        connection.commit()
    engine.dispose()


def test_an_empty_database_becomes_a_store(empty_url):
    """Opening an empty database makes the newest schema, and opening it again changes nothing."""
    for _ in range(2):
        with Store.open(empty_url) as store:
            assert store.schema() == {"current": migrate.HEAD, "wanted": migrate.HEAD}
            with store.read() as session:
                assert meta.epoch(session) == 0


def test_the_migrations_make_what_the_tables_say(empty_url):
    """The migrated schema and the tables in code are the same, column for column."""
    Store.open(empty_url).close()
    engine = backend_of(empty_url).engine()
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_newest_revision_is_the_one_that_opening_looks_for():
    """The revision that skips migrating is the head of the migrations folder."""
    assert migrate.revisions()[0] == migrate.HEAD


def test_an_older_schema_is_migrated(empty_url):
    """A store that stands at an older revision is brought up when it is opened, and keeps what it holds."""
    Store.open(empty_url).close()
    run_raw(empty_url, f"DELETE FROM {migrate.VERSION_TABLE}")
    for table in reversed(METADATA.sorted_tables):
        run_raw(empty_url, f"DROP TABLE {table.name}")
    with Store.open(empty_url) as store:
        assert store.schema()["current"] == migrate.HEAD
        store.write(lambda session: meta.put(session, "a", "b"))


def test_a_newer_schema_is_refused_and_left_alone(store_url):
    """A revision this program does not know is refused with advice, and stays as it is."""
    run_raw(store_url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(StoreNewer, match=r"9999.*Install the version"):
        Store.open(store_url)
    assert backend_of(store_url).version() == "9999"


def test_a_store_that_must_exist_is_not_made(empty_url):
    """With `create` off an absent store is refused with the advice to run `assent init`."""
    with pytest.raises(StoreUnavailable, match="assent init"):
        Store.open(empty_url, create=False)
    with pytest.raises(StoreUnavailable, match="assent init"):
        Store.open(empty_url, create=False)


def test_a_schema_that_cannot_be_made_is_undone_whole(empty_url):
    """When one table cannot be made none is, and the error says that nothing was changed."""
    url = empty_url
    if url.startswith("sqlite"):
        sqlite3.connect(url.removeprefix("sqlite:///")).close()
        engine = Sqlite(read_address(url).path, create=True).engine()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE TABLE {migrate.VERSION_TABLE} (version_num TEXT NOT NULL)")
        engine.dispose()
    run_raw(url, "CREATE TABLE imports (position INTEGER)")
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        Store.open(url)
    engine = backend_of(url).engine()
    with engine.connect() as connection:
        assert engine.dialect.has_table(connection, "imports")
        assert not engine.dialect.has_table(connection, "people")
    engine.dispose()


def test_many_may_open_an_empty_database_at_once(empty_url):
    """Several threads that open a database that was never made all find the same finished schema."""
    found = []

    def open_it():
        with Store.open(empty_url) as store:
            found.append(store.schema()["current"])

    at_once(4, open_it)
    assert found == [migrate.HEAD] * 4


def test_a_new_file_is_its_owners_alone(tmp_path):
    """A database file is made with mode 0600, and so are the files beside it."""
    with Store.open(tmp_path / "shop.db") as store:
        store.write(lambda session: meta.put(session, "a", "b"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"shop.db": 0o600, "shop.db-wal": 0o600, "shop.db-shm": 0o600}


def test_a_missing_folder_is_named(tmp_path):
    """A path into a folder that is not there is refused with the advice to make it."""
    with pytest.raises(StoreUnavailable, match="Make the folder first"):
        Store.open(tmp_path / "nowhere" / "shop.db")


def test_a_place_that_is_no_file_is_refused(tmp_path):
    """A folder in place of a file is refused, with what the system says about it."""
    with pytest.raises(StoreUnavailable):
        Store.open(tmp_path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    """A file of something else is refused in clear words and keeps its content."""
    path = tmp_path / "notes.db"
    path.write_text("what I wanted to say " * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="is not a database"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(tmp_path):
    """A database without our schema but with tables of its own is refused."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(StoreUnavailable, match="belongs to something else"):
        Store.open(path)


@pytest.mark.parametrize("url", ["mysql://host/shop", "sqlite://", "sqlite:///", "", "http://shop"])
def test_a_url_of_another_kind_is_refused(url):
    """Only paths, sqlite:/// and postgresql:// are places of a store."""
    with pytest.raises(InvalidInput, match="postgresql://"):
        Store.open(url)


def test_a_server_that_is_not_there_is_named_without_its_password():
    """A server that cannot be reached is named, its user and password are not."""
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/shop") as caught:
        Store.open("postgresql://somebody:secret@127.0.0.1:1/shop")
    assert "secret" not in str(caught.value)
    assert "somebody" not in str(caught.value)


def test_a_file_that_cannot_be_made_is_named():
    """Where the system lets nobody make a file the reason is reported."""
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        Store.open("/proc/self/shop.db")


def test_a_version_that_cannot_be_read_is_reported(store_url):
    """A version table of another shape is reported, not taken for an empty database."""
    run_raw(store_url, f"ALTER TABLE {migrate.VERSION_TABLE} RENAME TO other")
    run_raw(store_url, f"CREATE TABLE {migrate.VERSION_TABLE} (something TEXT)")
    with pytest.raises(StoreUnavailable, match="The database refused"):
        Store.open(store_url)
    run_raw(store_url, f"DROP TABLE {migrate.VERSION_TABLE}")
    run_raw(store_url, f"ALTER TABLE other RENAME TO {migrate.VERSION_TABLE}")


def test_a_path_is_read_from_each_form_of_url(tmp_path):
    """A plain path and its sqlite:/// form are the same file."""
    address = read_address(f"sqlite:///{tmp_path}/shop.db")
    assert address.path == read_address(tmp_path / "shop.db").path == tmp_path / "shop.db"
    assert path_of("sqlite:///shop.db") == path_of("shop.db") == Path("shop.db")
    assert path_of("postgresql://db.example/shop") is None


def test_a_password_is_not_shown():
    """The URL that people read has neither user nor password, nor does the address when printed."""
    address = read_address("postgresql://ann:secret@db.example/shop?sslmode=require")
    assert address.shown == "postgresql://db.example/shop"
    assert "secret" not in repr(address)


def test_who_left_a_sum_is_known_after_migrating(empty_url):
    """A store of the first schema keeps the version at which somebody last left each sum."""
    url = empty_url
    if url.startswith("sqlite"):
        sqlite3.connect(url.removeprefix("sqlite:///")).close()
    engine = backend_of(url).engine()
    with engine.connect() as connection:
        migrate.upgrade(connection, "0001")
        for model, settings in (("a", '{"left": 7}'), ("b", "{}")):
            connection.execute(
                sqlalchemy.text(
                    "INSERT INTO sum_heads (model, version, columns, people, digest, counts, settings, at_ms)"
                    " VALUES (:model, 9, 3, 4, 'digest', :counts, :settings, 5)"
                ),
                {"model": model, "settings": settings, "counts": b""},
            )
        connection.commit()
    engine.dispose()
    with Store.open(url) as store, store.read() as session:
        assert sums.head(session, "a") == sums.HeadRow("a", 9, 3, 4, "digest", b"", 5, 7)
        assert sums.head(session, "b").last_left_version == 0
