"""SQL: one writer, consistent readers, SQLite by default and PostgreSQL by URL. The only room with SQLAlchemy."""

from assent.store.address import path_of
from assent.store.group_queue import GroupQueue
from assent.store.session import Session
from assent.store.store import Store

__all__ = ["GroupQueue", "Session", "Store", "path_of"]
