"""People who are not in the rows of a sum yet: every reader must see them all the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.sum_rows as sum_rows_module
from assent.sums import UNIT, PairSum
from tests.rooms.sums.test_pairs import COLUMNS, expected, people, person

READERS = (
    "pairs",
    "column",
    "row",
    "digest",
    "diagonal",
    "fill",
    "arrays",
    "copy",
    "flush",
)


def assert_reads(total, whole, reader, last):
    numbers = np.array(whole, np.int64)
    if reader == "pairs":
        for items in (np.array([1, 4, 6], np.int32), last):
            assert total.pairs(items).tolist() == np.triu(numbers[np.ix_(items, items)]).tolist()
    elif reader == "column":
        assert [total.column(item).tolist() for item in range(COLUMNS)] == whole
    elif reader == "row":
        assert total.row(4).values.tolist() == [number for number in whole[4][4:] if number]
    elif reader == "diagonal":
        assert total.diagonal().tolist() == np.diagonal(numbers).tolist()
    elif reader == "fill":
        out = np.empty((COLUMNS, COLUMNS))
        total.fill(out)
        assert out.tolist() == (np.triu(numbers) / UNIT).tolist()
    elif reader == "arrays":
        assert int(total.arrays()[2].sum()) == int(np.triu(numbers).sum())


@settings(deadline=None, max_examples=150)
@given(people(), people(), st.integers(1, 4), st.data())
def test_every_reader_sees_who_came_and_left(crowd, more, pending_people, data):
    """With few or many pending people, and readings in between, rows and digests are those of a fresh sum."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sum_rows_module, "PENDING_PEOPLE", pending_people)
        total, inside = PairSum.of(crowd, COLUMNS), list(crowd)
        last = np.array([0, 1, 7], np.int32)
        for _ in range(data.draw(st.integers(0, 10))):
            if inside and data.draw(st.booleans()):
                one = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                total.remove(one)
                last = one.items
            elif more:
                inside.append(more.pop())
                total.add(inside[-1])
                last = inside[-1].items
            reader = data.draw(st.sampled_from(READERS))
            if reader == "copy":
                twin, total = total, total.copy()
                assert_reads(twin, expected(inside), "row", last)
            elif reader == "flush":
                total.flush()
            elif reader == "digest":
                assert total.digest() == PairSum.of(inside, COLUMNS).digest()
            else:
                assert_reads(total, expected(inside), reader, last)
        fresh = PairSum.of(inside, COLUMNS)
        assert total.digest() == fresh.digest()
        assert all(map(np.array_equal, total.arrays(), fresh.arrays()))


def test_flushing_leaves_no_person_in_a_list():
    """The person removed last is in no list any more, the sum is equal, and a second flush does nothing."""
    total = PairSum.of([person(0, 2), person(2, 3)], COLUMNS)
    total.remove(person(0, 2))
    assert len(total._current.pending) == 1
    total.flush()
    flushed = total._current
    assert len(flushed.pending) == 0
    assert flushed.last_change is None
    total.flush()
    assert total._current is flushed
    assert total.digest() == PairSum.of([person(2, 3)], COLUMNS).digest()
