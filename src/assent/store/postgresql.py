"""PostgreSQL by URL: the same store on a server; an advisory lock makes sure that there is one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.pool import StaticPool

from assent.store.columns import METADATA
from assent.store.link import LOCK_WAIT_SECONDS
from assent.store.plans import Plans
from assent.store.session import Session
from assent.terms.errors import AssentError, Busy, Conflict, Corrupt, InvalidInput, StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from assent.store.address import Address

PLANS = Plans(PGDialect_psycopg(paramstyle="format"), lists_as_arrays=True)  # type: ignore[no-untyped-call]

ERRORS: tuple[type[Exception], ...] = (psycopg.Error, UnicodeEncodeError)

#: The advisory lock of the one writer: the letters "assent" as a number. Locks are per database.
WRITER_LOCK = int.from_bytes(b"assent", "big")
TAKE_LOCK = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"

CONNECT_SECONDS = 10

#: An acknowledged commit must survive a power cut whatever the server's default is.
SETTINGS = f"SET synchronous_commit = on; SET lock_timeout = '{LOCK_WAIT_SECONDS}s'; SET client_min_messages = warning"

#: Plain VACUUM takes no lock that a reader or writer would wait for.
VACUUM = f"VACUUM (TRUNCATE false) {', '.join(each.name for each in METADATA.sorted_tables if 'person' in each.c)}"

LOST = (psycopg.OperationalError, psycopg.InterfaceError)
WAITED = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)


def translate(error: Exception) -> AssentError:
    """Return our error for a driver's error; the server's own text may have values and is not repeated."""
    if isinstance(error, (UnicodeEncodeError, psycopg.DataError)):
        return InvalidInput("A number is too large, or a text is not valid Unicode or has a zero byte.")
    if isinstance(error, WAITED):
        return Busy(f"Another process had the database locked for over {LOCK_WAIT_SECONDS} seconds.")
    if isinstance(error, psycopg.IntegrityError):
        return Conflict(
            "The write breaks a rule of the store: a key that exists already, or a person who is not there."
        )
    if isinstance(error, (errors.DatatypeMismatch, errors.UndefinedFunction, psycopg.ProgrammingError)) and (
        isinstance(error, (errors.DatatypeMismatch, errors.UndefinedFunction)) or error.sqlstate is None
    ):
        return InvalidInput("A value of the wrong type reached the store.")
    if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
        return Corrupt("The database is damaged.")
    if isinstance(error, LOST) and error.sqlstate is None:
        return StoreUnavailable("The connection to the database was lost or could not be made.")
    return StoreUnavailable(
        f"The database refused (SQLSTATE {getattr(error, 'sqlstate', None)}).",
        advice="Check the server's log, its free disk space and the rights of this user.",
    )


class PostgresqlLink:
    """One connection to the server; used by one thread at a time."""

    __slots__ = ("_connection", "_control", "session")

    def __init__(self, address: Address, *, writable: bool) -> None:
        self._connection = connect(address)
        self._control = self._connection.cursor()
        self.session = Session(self._connection.cursor(binary=True), PLANS, ERRORS, translate, writable=writable)

    def begin_read(self) -> None:
        """Begin a transaction; the snapshot is taken by its first query."""
        self._run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def begin_write(self) -> None:
        """Begin a transaction and take the writer's lock, in one round trip."""
        try:
            self._run(f"BEGIN; {TAKE_LOCK}")
        except Busy:
            self.rollback()
            raise

    def commit(self) -> None:
        """Make the transaction durable; a transaction in which a statement failed would be undone silently."""
        if self._connection.info.transaction_status is TransactionStatus.INERROR and self.session.writable:
            raise Conflict("A statement of the transaction failed, so it cannot be kept.")
        try:
            self._run("COMMIT")
        except StoreUnavailable as error:
            raise StoreUnavailable(
                "The connection was lost while committing: the write may be kept or not.",
                advice="Look whether it is there before sending it again.",
            ) from error

    def rollback(self) -> None:
        """Undo the transaction."""
        if self._connection.info.transaction_status is not TransactionStatus.IDLE:
            self._run("ROLLBACK")

    def mark(self) -> None:
        """Set a savepoint."""
        self._run("SAVEPOINT job")

    def undo_to_mark(self) -> None:
        """Undo what came after the savepoint, and drop it."""
        self._run("ROLLBACK TO job; RELEASE job")

    def drop_mark(self) -> None:
        """Drop the savepoint and keep what came after it."""
        self._run("RELEASE job")

    def in_transaction(self) -> bool:
        """Tell whether the server still holds the transaction open."""
        return self._connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    def usable(self) -> bool:
        """Tell whether the connection is open and outside any transaction."""
        return self._connection.info.transaction_status is TransactionStatus.IDLE

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, text: str) -> None:
        try:
            self._control.execute(text.encode(), prepare=False)
        except psycopg.Error as error:
            raise translate(error) from error


def connect(address: Address) -> psycopg.Connection[Any]:
    """Connect in autocommit mode: transactions are begun by name. Raises `StoreUnavailable`."""
    try:
        connection = psycopg.connect(
            address.url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="assent"
        )
        connection.execute(SETTINGS.encode(), prepare=False)
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"The database at {address.shown} cannot be reached, or refused.",
            advice="Check that the server runs, that the database exists, and the user and password in the URL.",
        ) from error
    return connection


class Postgresql:
    """A database on a server."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def link(self, *, writable: bool) -> PostgresqlLink:
        """Open one connection."""
        return PostgresqlLink(self._address, writable=writable)

    def version(self) -> str | None:
        """Return the schema's revision, None when there is none."""
        connection = connect(self._address)
        try:
            found = connection.execute("SELECT to_regclass('assent_version') IS NOT NULL").fetchone()
            if found is None or not found[0]:
                return None
            row = connection.execute("SELECT version_num FROM assent_version").fetchone()
        except psycopg.Error as error:
            raise translate(error) from error
        finally:
            connection.close()
        return None if row is None else str(row[0])

    def engine(self) -> Engine:
        """Return an engine on one connection, for migrations."""
        return create_engine("postgresql+psycopg://", creator=lambda: connect(self._address), poolclass=StaticPool)

    def lock_statement(self) -> str:
        """Return what takes the writer's lock."""
        return f"BEGIN; {TAKE_LOCK}"

    def checkpoint(self) -> None:
        """Have dead rows removed from the tables that name people, except those that an older reader may still see."""
        connection = connect(self._address)
        try:
            connection.execute(VACUUM.encode(), prepare=False)
        except psycopg.Error as error:
            raise translate(error) from error
        finally:
            connection.close()
