"""People who are not in the rows of a sum yet: every reader must see them all the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.standing as standing_module
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
    "settle",
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
def test_every_reader_sees_who_came_and_left(crowd, more, late_max, data):
    """However few or many are late, and whoever asks in between, rows and digests are those of a fresh sum."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standing_module, "LATE_MAX", late_max)
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
            elif reader == "settle":
                total.settle()
            elif reader == "digest":
                assert total.digest() == PairSum.of(inside, COLUMNS).digest()
            else:
                assert_reads(total, expected(inside), reader, last)
        fresh = PairSum.of(inside, COLUMNS)
        assert total.digest() == fresh.digest()
        assert all(map(np.array_equal, total.arrays(), fresh.arrays()))


def test_settling_leaves_nobody_by_themselves():
    """Whoever left last stands in no list any more, the sum says the same, and there is nothing to do a second time."""
    total = PairSum.of([person(0, 2), person(2, 3)], COLUMNS)
    total.remove(person(0, 2))
    assert len(total._standing.late) == 1
    total.settle()
    settled = total._standing
    assert len(settled.late) == 0
    assert settled.known is None
    total.settle()
    assert total._standing is settled
    assert total.digest() == PairSum.of([person(2, 3)], COLUMNS).digest()
