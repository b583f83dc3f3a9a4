"""Erasing reaches every table that names a person."""

import pytest
from sqlalchemy import Integer, LargeBinary, Text, func, select

from assent.store.columns import METADATA
from assent.store.tables import ERASURES, LOG_LEAVES, PEOPLE
from assent.store.topics import people

ANN, BOB = b"a" * 16, b"b" * 16

NAMING_PEOPLE = [table for table in METADATA.sorted_tables if "person" in table.c]


def filler(column, number):
    """Return some value of a column's type, another for each number."""
    if isinstance(column.type, LargeBinary):
        return number.to_bytes(16, "big")
    if isinstance(column.type, Text):
        return f"text {number}"
    assert isinstance(column.type, Integer)
    return number


def fill(session):
    """Write one row about Ann and one about Bob into every table that names a person."""
    for table in NAMING_PEOPLE:
        for number, person in enumerate((ANN, BOB), start=1):
            row = {column.name: filler(column, number) for column in table.columns}
            session.run(table.insert().values(row | {"person": person}))


def rows_of(session, table, person):
    """Count a person's rows in a table."""
    return session.one(select(func.count()).select_from(table).where(table.c.person == person))[0]


def test_every_table_that_names_a_person_is_covered():
    """No table with a person column is left out of erasing, but for the journal and the log."""
    assert {*people.DELETED_FROM, ERASURES, LOG_LEAVES} == set(NAMING_PEOPLE)
    assert people.DELETED_FROM[-1] is PEOPLE


def test_no_column_names_a_person_under_another_name():
    """Whatever refers to people does so in a column called person, so that erasing finds it."""
    for table in METADATA.sorted_tables:
        for key in table.foreign_keys:
            assert (key.parent.name, key.column.table.name) == ("person", "people")


def test_deleting_reaches_every_table(store):
    """One person's rows are gone from every table and counted, another's all stay."""
    store.write(fill)
    counts = store.write(lambda session: people.delete(session, ANN))
    assert counts == {table.name: 1 for table in NAMING_PEOPLE if table is not ERASURES}
    with store.read() as session:
        for table in NAMING_PEOPLE:
            assert rows_of(session, table, ANN) == (1 if table is ERASURES else 0), table.name
            assert rows_of(session, table, BOB) == 1, table.name


def test_the_log_keeps_its_leaves(store):
    """A deleted person's leaf keeps its digest and place and loses person and details."""
    store.write(fill)
    store.write(lambda session: people.delete(session, ANN))
    with store.read() as session:
        leaves = session.all(select(LOG_LEAVES).order_by(LOG_LEAVES.c.idx))
    assert [(row[0], row[4], row[5]) for row in leaves] == [(1, None, None), (2, BOB, (2).to_bytes(16, "big"))]


def test_traces_are_found_and_gone(store):
    """A search finds every row that names a person, and none after erasing."""
    store.write(fill)
    with store.read() as session:
        assert people.traces(session, ANN) == {table.name: 1 for table in NAMING_PEOPLE if table is not ERASURES}
    store.write(lambda session: people.delete(session, ANN))
    with store.read() as session:
        assert set(people.traces(session, ANN).values()) == {0}
        assert set(people.traces(session, BOB).values()) == {1}


def test_deleting_again_finds_nothing(store):
    """Deleting is repeatable: the second time there is nothing left."""
    store.write(fill)
    store.write(lambda session: people.delete(session, ANN))
    assert set(store.write(lambda session: people.delete(session, ANN)).values()) == {0}


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_every_table_says_what_it_holds(table):
    """Each table says what, why and how long, names its sealed columns, and each column has its sentence."""
    assert all(table.info[word] for word in ("holds", "why", "how_long"))
    assert set(table.info["sealed"]) <= set(table.c.keys())
    assert all(column.doc for column in table.columns)
