"""The store: opened by URL, read in consistent snapshots, written by one writer."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from assent.store.address import Address, read_address
from assent.store.link import LOCK_WAIT_SECONDS
from assent.store.migrate import HEAD, bring_up
from assent.store.sqlite import Sqlite
from assent.store.writer import Writer
from assent.terms.errors import AssentError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from types import TracebackType

    from assent.store.address import Dialect
    from assent.store.link import Backend, Link
    from assent.store.session import Session

T = TypeVar("T")


class Store:
    """An open store; safe to use from many threads. Open it with `Store.open`."""

    def __init__(self, address: Address, backend: Backend) -> None:
        """Take a database that has the newest schema; use `Store.open`."""
        #: The address as the caller gave it; it may have a password.
        self.url: str = address.url
        #: The same without user and password, for people to read.
        self.shown_url: str = address.shown
        self.dialect: Dialect = address.dialect
        #: The database file, None on PostgreSQL.
        self.path: Path | None = address.path
        self._backend = backend
        self._idle: deque[Link] = deque()
        #: The threads that read now, once for each read.
        self._readers: list[int] = []
        self._given_back = threading.Condition()
        self._closed = False
        self._writer = Writer(lambda: backend.link(writable=True))

    @classmethod
    def open(cls, url: str | Path, *, create: bool = True) -> Self:
        """Open the store at a path, `sqlite:///path` or `postgresql://...`; make or migrate its schema as needed.

        Raises `StoreUnavailable` when it cannot be reached, or is not there and `create` is False, `StoreNewer` when a
        newer version wrote it, `InvalidInput` for a URL of another kind.
        """
        address = read_address(url)
        backend = _server(address) if address.path is None else Sqlite(address.path, create=create)
        bring_up(backend, create=create)
        return cls(address, backend)

    def read(self) -> AbstractContextManager[Session]:
        """Begin a read; its session sees one state of the store, that of its first query."""
        return _Reading(self)

    def write(self, job: Callable[[Session], T]) -> T:
        """Run `job` in the writer's transaction and return its result once it is durable; raises the job's error."""
        return self._writer.write(job)

    def submit(self, job: Callable[[Session], T]) -> Future[T]:
        """Queue `job` like `write`, without waiting."""
        return self._writer.submit(job)

    def schema(self) -> dict[str, str | None]:
        """Return the revision the database has (`current`) and the one this program wants (`wanted`)."""
        return {"current": self._backend.version(), "wanted": HEAD}

    def checkpoint(self) -> None:
        """Remove deleted content from every place that the database can clean up by itself.

        On SQLite the log is moved into the file and emptied, which raises `Busy` while a reader of another moment or
        another process holds it up; on PostgreSQL dead rows are removed from the tables that name people.
        """
        self._writer.forbid_inside_job()
        self._backend.checkpoint()

    def close(self) -> None:
        """Finish every queued write and close every connection; closing twice does no harm.

        It waits for reads of other threads: only the last connection to close removes SQLite's log, and the deleted
        content in it, from the disk.
        """
        self._writer.close()
        me = threading.get_ident()
        with self._given_back:
            self._closed = True
            self._given_back.wait_for(lambda: all(each == me for each in self._readers), LOCK_WAIT_SECONDS)
        self._drop_idle()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    def _borrow(self) -> Link:
        """Take a connection that has begun to read, until `_give_back`."""
        me = threading.get_ident()
        with self._given_back:
            if self._closed:
                raise StoreUnavailable("The store is closed.", advice="Open it again.")
            self._readers.append(me)
        try:
            return self._begun()
        except BaseException:
            self._ended(me)
            raise

    def _ended(self, reader: int) -> None:
        with self._given_back:
            self._readers.remove(reader)
            self._given_back.notify_all()

    def _begun(self) -> Link:
        """Begin a read on an idle connection, or on a new one; one that broke while idle is dropped."""
        try:
            link = self._idle.pop()
        except IndexError:
            link = self._backend.link(writable=False)
        else:
            try:
                link.begin_read()
            except StoreUnavailable:
                link.close()
                link = self._backend.link(writable=False)
            else:
                return link
        link.begin_read()
        return link

    def _give_back(self, link: Link, reader: int) -> None:
        """End a read and keep the connection for the next; a connection that broke is dropped."""
        try:
            link.commit()
        except AssentError:
            link.close()
        else:
            self._idle.append(link)
            if self._closed:
                self._drop_idle()
        finally:
            self._ended(reader)

    def _drop_idle(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return


class _Reading:
    """One read in progress."""

    __slots__ = ("_link", "_reader", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reader = 0
        self._link: Link | None = None

    def __enter__(self) -> Session:
        self._reader = threading.get_ident()
        self._link = link = self._store._borrow()  # noqa: SLF001 - a part of the store
        return link.session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._store._give_back(link, self._reader)  # noqa: SLF001 - a part of the store


def _server(address: Address) -> Backend:
    """Return the PostgreSQL backend, whose driver is an extra."""
    try:
        from assent.store.postgresql import Postgresql  # noqa: PLC0415 - the driver is an extra
    except ImportError as error:
        raise StoreUnavailable(
            "PostgreSQL needs the psycopg driver.", advice="Install it: pip install 'assent[postgres]'."
        ) from error
    return Postgresql(address)
