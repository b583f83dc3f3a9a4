"""Short ways to write the columns of the tables: few kinds, each with a sentence, strict types on both databases."""

from __future__ import annotations

from typing import TypedDict

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

BIG = BigInteger().with_variant(Integer(), "sqlite")
SMALL = SmallInteger().with_variant(Integer(), "sqlite")


class DataMapEntry(TypedDict):
    """The entry of one table in the data map."""

    holds: str
    why: str
    how_long: str
    sealed: tuple[str, ...]


def table(name: str, entry: DataMapEntry, *parts: SchemaItem, clustered: bool = False) -> Table:
    """Make one table; `clustered` keeps the rows in the order of the primary key on SQLite (small rows only)."""
    return Table(name, METADATA, *parts, info=dict(entry), sqlite_strict=True, sqlite_with_rowid=not clustered)


def person(*, key: bool = False, null: bool = False, free: bool = False) -> Column[bytes]:
    """Make the person column; `free` leaves out the foreign key where a row may outlive the person or be hot."""
    parts = () if free else (ForeignKey("people.person"),)
    return Column("person", LargeBinary, *parts, primary_key=key, nullable=null, doc="The person's random 128-bit id.")


def blob(name: str, doc: str, *, key: bool = False, null: bool = False) -> Column[bytes]:
    """Make a column of bytes."""
    return Column(name, LargeBinary, primary_key=key, nullable=null, doc=doc)


def text(name: str, doc: str, *, key: bool = False, null: bool = False) -> Column[str]:
    """Make a column of text."""
    return Column(name, Text, primary_key=key, nullable=null, doc=doc)


def big(name: str, doc: str, *, key: bool = False, null: bool = False) -> Column[int]:
    """Make a column of 64-bit whole numbers."""
    return Column(name, BIG, primary_key=key, nullable=null, autoincrement=False, doc=doc)


def small(name: str, doc: str) -> Column[int]:
    """Make a column of 16-bit whole numbers."""
    return Column(name, SMALL, nullable=False, doc=doc)
