"""Short ways to write the Core statements that topics share; each statement is made once, at import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, select

# PostgreSQL's insert construct also compiles for SQLite: both spell ON CONFLICT alike.
from sqlalchemy.dialects.postgresql import Insert, insert

if TYPE_CHECKING:
    from sqlalchemy import Column, Delete, Select

#: Rows of one page of a table that is read page by page.
PAGE_ROWS = 1_000


def upsert(table: Table, *keep: str) -> Insert:
    """Insert a row with every column as a parameter, or overwrite the row of that key except the columns in `keep`."""
    keys = [column.name for column in table.primary_key]
    statement = insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys and column.name not in keep
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def insert_new(table: Table) -> Insert:
    """Insert a row with every column as a parameter, unless its key is there already."""
    statement = insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    return statement.on_conflict_do_nothing(index_elements=[column.name for column in table.primary_key])


def equal(column: Column[Any]) -> ColumnElement[bool]:
    """Compare a column with the parameter of its name."""
    return column == bindparam(column.name)


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Compare a column with a list parameter."""
    return column.in_(bindparam(name, expanding=True))


def rows_of_person(table: Table, *order: str) -> Select[Any]:
    """Select every column of one person's rows."""
    return select(table).where(equal(table.c.person)).order_by(*(table.c[name] for name in order))


def delete_of_person(table: Table) -> Delete:
    """Delete one person's rows."""
    return delete(table).where(equal(table.c.person))
