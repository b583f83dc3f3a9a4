"""SQLite: one file in WAL mode, every commit on disk before it is acknowledged, deleted content overwritten."""

from __future__ import annotations

import functools
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import StaticPool

from assent.store.link import LOCK_WAIT_SECONDS
from assent.store.plans import Plans
from assent.store.session import Session
from assent.terms.errors import AssentError, Busy, Conflict, Corrupt, InvalidInput, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Engine

PLANS = Plans(SQLiteDialect_pysqlite(paramstyle="qmark"), lists_as_arrays=False)

ERRORS: tuple[type[Exception], ...] = (sqlite3.Error, OverflowError, UnicodeEncodeError)

#: Statements that sqlite3 keeps prepared for each connection.
PREPARED_STATEMENTS = 256
#: The time for which the writer sleeps between two attempts to get the lock from another process.
LOCK_POLL_SECONDS = 0.001

#: `secure_delete` overwrites deleted content; `temp_store` keeps sorting out of files; `synchronous=FULL` makes an
#: acknowledged commit survive a power cut. Sizes are KiB (negative) and bytes.
SETTINGS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=268435456",
)
#: The log is moved into the file every 16,000 pages (64 MB): one write in some thousands waits for that, and a page
#: that changed many times is moved once.
WRITER_SETTINGS = ("PRAGMA cache_size=-65536", "PRAGMA wal_autocheckpoint=16000", "PRAGMA busy_timeout=0")
READER_SETTINGS = ("PRAGMA cache_size=-16384", "PRAGMA query_only=ON", f"PRAGMA busy_timeout={LOCK_WAIT_SECONDS}000")

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
WRONG_VALUE = {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE}
PRIMARY_CODE = 0xFF
#: A strict table refused a value's type; Python 3.11 has no name for it.
CONSTRAINT_DATATYPE = sqlite3.SQLITE_CONSTRAINT | (12 << 8)


def translate(error: Exception) -> AssentError:
    """Return our error for a driver's error; its text never has a value that was written."""
    if isinstance(error, (OverflowError, UnicodeEncodeError)):
        return InvalidInput("A number is too large, or a text is not valid Unicode.")
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        if isinstance(error, (sqlite3.InterfaceError, sqlite3.ProgrammingError)) and "inding parameter" in str(error):
            return InvalidInput("A value of the wrong type reached the store.")
        return StoreUnavailable("The database connection cannot be used.")
    primary = code & PRIMARY_CODE
    if primary in BUSY:
        return Busy(f"Another process had the database locked for over {LOCK_WAIT_SECONDS} seconds.")
    if code == CONSTRAINT_DATATYPE:
        return InvalidInput("A value of the wrong type reached the store.")
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return Conflict(
            "The write breaks a rule of the store: a key that exists already, or a person who is not there."
        )
    if primary in BROKEN:
        return Corrupt("The database file is damaged.")
    if primary in WRONG_VALUE:
        return InvalidInput("A value is too large for the store.")
    name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    return StoreUnavailable(
        f"The database refused: {name}.", advice="Check free disk space, file permissions and `assent doctor`."
    )


class SqliteLink:
    """One connection to the file; used by one thread at a time."""

    __slots__ = ("_connection", "_cursor", "_execute", "session")

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._connection = connect(path)
        self._cursor = self._connection.cursor()
        self._execute = self._cursor.execute
        self.session = Session(self._cursor, PLANS, ERRORS, translate, writable=writable)
        for setting in (*SETTINGS, *(WRITER_SETTINGS if writable else READER_SETTINGS)):
            self._run(setting)

    def begin_read(self) -> None:
        """Begin a transaction; the snapshot is taken by its first query."""
        self._run("BEGIN")

    def begin_write(self) -> None:
        """Take the write lock, trying again every millisecond while another process has it.

        SQLite's own waiting sleeps up to 100 ms between attempts, which starves a process beside a busy one.
        """
        _when_free(lambda: self._execute("BEGIN IMMEDIATE"))

    def commit(self) -> None:
        """Make the transaction durable."""
        self._run("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, where SQLite has not done so itself."""
        if self._connection.in_transaction:
            self._run("ROLLBACK")

    def mark(self) -> None:
        """Set a savepoint."""
        self._run("SAVEPOINT job")

    def undo_to_mark(self) -> None:
        """Undo what came after the savepoint, and drop it."""
        self._run("ROLLBACK TO job")
        self._run("RELEASE job")

    def drop_mark(self) -> None:
        """Drop the savepoint and keep what came after it."""
        self._run("RELEASE job")

    def in_transaction(self) -> bool:
        """Tell whether the transaction is still there: a full disk makes SQLite undo it whole."""
        return self._connection.in_transaction

    def usable(self) -> bool:
        """Return True: a file has no connection that can break."""
        return True

    def close(self) -> None:
        """Close the connection; the last one to close moves the log into the file."""
        self._connection.close()

    def _run(self, text: str) -> None:
        try:
            self._execute(text)
        except sqlite3.Error as error:
            raise translate(error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the file in autocommit mode: transactions are begun by name. A missing file is not made but refused."""
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=LOCK_WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=PREPARED_STATEMENTS,
        )
    except sqlite3.Error as error:
        raise translate(error) from error


def _when_free(attempt: Callable[[], object]) -> None:
    """Try until no other process has the file locked; raises `Busy` when that takes too long."""
    give_up = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            attempt()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE not in BUSY or time.monotonic() > give_up:
                raise translate(error) from error
            time.sleep(LOCK_POLL_SECONDS)
        else:
            return


class Sqlite:
    """A database file."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Name the file; make it, readable by its owner alone, when it is not there and `create` says so.

        Raises `StoreUnavailable`.
        """
        self.path = path
        if path.exists():
            return
        if not path.parent.is_dir():
            raise StoreUnavailable(
                f"The folder {path.parent} does not exist.", advice="Make the folder first, or name another place."
            )
        if not create:
            raise StoreUnavailable(
                f"There is no store at {path}.",
                advice="Run `assent init` to make one, or name the right place with --store.",
            )
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreUnavailable(
                f"The file {path} cannot be made: {error.strerror}.",
                advice="Check the folder's permissions and free space.",
            ) from error

    def link(self, *, writable: bool) -> SqliteLink:
        """Open one connection."""
        return SqliteLink(self.path, writable=writable)

    def version(self) -> str | None:
        """Return the schema's revision, None for an empty file.

        Raises `StoreUnavailable` for a file that is no database, or a database of something else.
        """
        try:
            connection = connect(self.path)
            try:
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
                if "assent_version" in tables:
                    row = connection.execute("SELECT version_num FROM assent_version").fetchone()
                    return None if row is None else str(row[0])
            finally:
                connection.close()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_NOTADB:
                raise translate(error) from error
            raise StoreUnavailable(
                f"The file {self.path} is not a database.",
                advice="Name another place for the store; the file was left as it is.",
            ) from error
        if tables:
            raise StoreUnavailable(
                f"The database {self.path} belongs to something else.",
                advice="Name another place for the store; nothing was changed.",
            )
        return None

    def engine(self) -> Engine:
        """Return an engine on one connection in WAL mode, for migrations."""
        return create_engine("sqlite://", creator=self._connect_for_migration, poolclass=StaticPool)

    def _connect_for_migration(self) -> sqlite3.Connection:
        connection = connect(self.path)
        # Changing the mode needs the file alone and does not wait for it by itself.
        for setting in ("PRAGMA journal_mode=WAL", *SETTINGS):
            _when_free(functools.partial(connection.execute, setting))
        return connection

    def lock_statement(self) -> str:
        """Return what takes the write lock."""
        return "BEGIN IMMEDIATE"

    def checkpoint(self) -> None:
        """Move the log into the file and cut the log to nothing; raises `Busy` while a reader holds an old state.

        It is tried repeatedly, because SQLite's own waiting would block every writer meanwhile.
        """
        give_up = time.monotonic() + LOCK_WAIT_SECONDS
        connection = connect(self.path)
        try:
            connection.execute("PRAGMA busy_timeout=0")
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > give_up:
                    raise Busy("The log could not be emptied, because a reader or another process still needs it.")
                time.sleep(LOCK_POLL_SECONDS)
        except sqlite3.Error as error:
            raise translate(error) from error
        finally:
            connection.close()
