"""The protocols of a database and of one connection to it, which SQLite and PostgreSQL implement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.terms.limits import limit

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from assent.store.session import Session

#: The time for which a write waits for another process's transaction before it is refused as `Busy`.
LOCK_WAIT_SECONDS = limit("write_wait_seconds")


class Link(Protocol):
    """One connection with its one session. Every method raises only errors of `assent.terms.errors`."""

    @property
    def session(self) -> Session:
        """The session that runs on this connection."""
        ...

    def begin_read(self) -> None:
        """Begin a transaction that sees one consistent state."""
        ...

    def begin_write(self) -> None:
        """Begin the one write transaction; waits for other processes, then raises `Busy`."""
        ...

    def commit(self) -> None:
        """Make the transaction durable; raises when it is not."""
        ...

    def rollback(self) -> None:
        """Undo the transaction; a connection that cannot is closed."""
        ...

    def mark(self) -> None:
        """Set a savepoint."""
        ...

    def undo_to_mark(self) -> None:
        """Undo what came after the savepoint, and drop it."""
        ...

    def drop_mark(self) -> None:
        """Drop the savepoint and keep what came after it."""
        ...

    def in_transaction(self) -> bool:
        """Tell whether the transaction that was begun can still be committed or undone in parts."""
        ...

    def usable(self) -> bool:
        """Tell whether the connection can begin another transaction."""
        ...

    def close(self) -> None:
        """Close the connection; never raises."""
        ...


class Backend(Protocol):
    """One database: how to connect to it."""

    def link(self, *, writable: bool) -> Link:
        """Open one connection; raises `StoreUnavailable`."""
        ...

    def version(self) -> str | None:
        """Return the revision of the schema without changing anything, None when there is none."""
        ...

    def engine(self) -> Engine:
        """Return an engine for migrations, with one connection of its own."""
        ...

    def lock_statement(self) -> str:
        """Return what takes the write lock at the start of a migration's transaction."""
        ...

    def checkpoint(self) -> None:
        """Leave deleted content nowhere that the database can clean up by itself."""
        ...
