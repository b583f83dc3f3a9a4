"""Settings of each connection before its first use: acknowledged writes survive a power cut, deleted ones do not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from assent.store import Store
from assent.store.topics import meta

SQLITE = {
    "foreign_keys": 1,
    "journal_mode": "wal",
    "secure_delete": 1,
    "synchronous": 2,  # FULL
    "temp_store": 2,  # MEMORY
}


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_sqlite_connections_keep_what_they_acknowledge_and_overwrite_what_they_delete(store: Store, writable: bool):
    """Every setting that a promise rests on, as SQLite itself tells it; readers can write nothing."""
    link = store._backend.link(writable=writable)
    settings = {name: link._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in (*SQLITE, "query_only")}
    link.close()
    assert settings == {**SQLITE, "query_only": int(not writable)}


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_postgresql_connections_keep_what_they_acknowledge_whatever_the_servers_default(store: Store, flip_default):
    """A server set to acknowledge early still makes our commits durable; waiting for a lock has an end."""
    flip_default("synchronous_commit", "off")
    link = store._backend.link(writable=True)
    settings = [
        link._connection.execute(f"SHOW {name}").fetchone()[0] for name in ("synchronous_commit", "lock_timeout")
    ]
    link.close()
    assert settings == ["on", "10s"]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_postgresql_reads_see_one_moment_and_write_nothing(store: Store):
    """A read is one snapshot, and read-only for the server too."""
    link = store._backend.link(writable=False)
    link.begin_read()
    settings = [
        link._connection.execute(f"SHOW {name}").fetchone()[0]
        for name in ("transaction_isolation", "transaction_read_only")
    ]
    link.close()
    assert settings == ["repeatable read", "on"]


@pytest.fixture
def flip_default(store_url: str):
    """Return what changes a setting's default for the database; it is put back afterwards."""
    import psycopg

    changed = []

    def run(statement: str) -> None:
        with psycopg.connect(store_url, autocommit=True) as connection:
            connection.execute(statement.format(connection.info.dbname).encode())

    def flip(name: str, value: str) -> None:
        changed.append(name)
        run(f"ALTER DATABASE {{}} SET {name} = {value}")

    yield flip
    for name in changed:
        run(f"ALTER DATABASE {{}} RESET {name}")


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_a_database_file_is_its_owners_alone(tmp_path: Path, mask: int):
    """Whatever the process's mask, nobody else may read the file, nor the log that SQLite keeps beside it."""
    before = os.umask(mask)
    try:
        with Store.open(tmp_path / "shop.db") as store:
            store.write(lambda session: meta.put(session, "name", "value"))
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) >= {"shop.db", "shop.db-wal"}
    assert set(modes.values()) == {0o600}
