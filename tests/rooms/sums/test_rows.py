import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.sums.rows import EMPTY, Row, added, assigned, looked_up, pack, unpack
from assent.terms.errors import Corrupt

COLUMNS = 200_000


def row_of(entries):
    indices = sorted(entries)
    return Row(np.array(indices, np.int32), np.array([entries[index] for index in indices], np.int64))


def dict_of(row):
    return dict(zip(row.indices.tolist(), row.values.tolist(), strict=True))


ENTRIES = st.dictionaries(st.integers(0, 40), st.integers(1, 1 << 40), max_size=12)


@settings(deadline=None)
@given(ENTRIES, ENTRIES)
def test_adding_is_the_sum_of_dictionaries(one, other):
    """Row arithmetic equals that of a dictionary of numbers, and does not change its arguments."""
    left, right = row_of(one), row_of(other)
    total = added(left, *right)
    assert dict_of(total) == {key: one.get(key, 0) + other.get(key, 0) for key in {*one, *other}}
    assert dict_of(left) == one


@settings(deadline=None)
@given(ENTRIES, st.dictionaries(st.integers(0, 40), st.integers(0, 3), max_size=12))
def test_assigning_is_that_of_dictionaries(one, other):
    """Entries are looked up, set and taken out as those of a dictionary."""
    row, change = row_of(one), row_of(other)
    assert looked_up(row, change.indices)[1].tolist() == [one.get(key, 0) for key in change.indices.tolist()]
    assert dict_of(assigned(row, *change)) == {key: number for key, number in {**one, **other}.items() if number}
    assert dict_of(row) == one


@settings(deadline=None)
@given(st.integers(0, 1000), st.dictionaries(st.integers(1, 190_000), st.integers(1, 1 << 60), max_size=10))
def test_a_row_survives_its_stored_form(item, offsets):
    """Narrow or wide, a row is read back as it was."""
    row = row_of({item: 7, **{item + offset: number for offset, number in offsets.items()}})
    again = unpack(item, pack(row), COLUMNS)
    assert dict_of(again) == dict_of(row)
    assert again.indices.dtype == np.int32
    assert again.values.dtype == np.int64


def test_an_empty_row_survives_its_stored_form():
    """A row without entries has a stored form as well."""
    assert dict_of(unpack(5, pack(EMPTY), COLUMNS)) == {}


def test_entries_take_as_few_bytes_as_they_need():
    """Near neighbors and small sums take six bytes an entry."""
    small = row_of({3: 5, 10: 7})
    large = row_of({3: 5, 100_000: 1 << 40})
    assert len(pack(small)) == 8 + 2 * (2 + 4)
    assert len(pack(large)) == 8 + 2 * (4 + 8)


GOOD = pack(row_of({3: 5, 9: 7}))


@pytest.mark.parametrize(
    ("item", "stored"),
    [
        (3, b""),
        (3, GOOD[:-1]),
        (3, GOOD + b"\x00"),
        (3, b"\x02" + GOOD[1:]),
        (3, GOOD[:1] + b"\x03" + GOOD[2:]),
        (3, GOOD[:2] + b"\x05" + GOOD[3:]),
        (4, GOOD),
        (3, pack(row_of({3: 5, COLUMNS: 1}))),
        (3, pack(Row(np.array([3, 3], np.int32), np.array([1, 1], np.int64)))),
        (3, pack(Row(np.array([3, 4], np.int32), np.array([1, 0], np.int64)))),
        (3, GOOD[:3] + b"\x01" + GOOD[4:]),
        (3, struct.pack("<BBBxI2I2i", 1, 4, 4, 2, 3, 6, 5, 7)),
    ],
)
def test_what_is_not_a_stored_row_is_refused(item, stored):
    """Cut, long, of another version, of another item, past the end, repeated, zero, or not in its one form."""
    with pytest.raises(Corrupt):
        unpack(item, stored, COLUMNS)
