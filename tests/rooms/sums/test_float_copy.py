"""The float copy of a sum: every reader sees the matrix, after every change, and a removed pair is not in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.float_copy as float_copy_module
from assent.models.recommender import contribution
from assent.sums import UNIT, PairSum
from assent.terms.errors import NotLearned
from tests.rooms.sums.test_pairs import COLUMNS, expected, people, person


def assert_equal_to(float_copy, inside, columns):
    whole = np.array(expected(inside, columns), np.float64) / UNIT
    np.fill_diagonal(whole, 0.0)
    every = np.arange(columns, dtype=np.int32)
    near = 1e-5 if float_copy.rows(every).dtype == np.float32 else 1e-12
    np.testing.assert_allclose(float_copy.rows(every), whole, rtol=near)
    some, targets = every[[6, 1, 4]], every[[5, 0, 4, 1]]
    np.testing.assert_allclose(float_copy.block(some, targets), whole[np.ix_(some, targets)], rtol=near)
    weights = np.array([1.0, 2.0, 0.5])
    np.testing.assert_allclose(float_copy.times(some, weights), weights @ whole[some], atol=20 * near)
    assert not float_copy.times(some[:0], weights[:0]).any()


def assert_names_no_more(float_copy, inside, columns):
    """A row names only the columns of its pairs; a zero without an entry before it has column 0."""
    whole = np.array(expected(inside, columns), object) != 0
    for item in range(columns):
        if float_copy._slots[item] >= 0:
            continue
        named = float_copy._indices[float_copy._starts[item] : float_copy._ends[item]]
        assert (np.diff(named) >= 0).all()
        assert set(named.tolist()) - {0} <= set(np.flatnonzero(whole[item]).tolist()) - {item}
        zeros = float_copy._values[float_copy._starts[item] : float_copy._ends[item]] == 0
        assert float_copy._zeros[item] >= zeros.sum()
    used = np.zeros(len(float_copy._indices), np.bool_)
    for first, last in zip(float_copy._starts.tolist(), float_copy._ends.tolist(), strict=True):
        assert not used[first:last].any()
        used[first:last] = True
    assert not float_copy._indices[~used].any()
    assert not float_copy._values[~used].any()


@settings(deadline=None, max_examples=200)
@given(
    people(),
    people(),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([1, 2, 4, 1000]),
    st.sampled_from([1, 5, 1 << 30]),
    st.sampled_from([0, 2, 1000]),
    st.data(),
)
def test_it_follows_who_comes_and_who_leaves(crowd, more, dtype, share, reach, full, data):
    """However little room there is and however late rows are written anew, all readers see the pairs as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(float_copy_module, "_ROOM_SHARE", data.draw(st.sampled_from([1, 1000])))
        patch.setattr(float_copy_module, "_ROOM_ENTRIES", data.draw(st.integers(1, 3)))
        patch.setattr(float_copy_module, "_BLOCK_ENTRIES", data.draw(st.integers(1, 40)))
        patch.setattr(float_copy_module, "_ZERO_SHARE", share)
        patch.setattr(float_copy_module, "_REACH_ENTRIES", reach)
        patch.setattr(float_copy_module, "_FULL_SHARE", full)
        total, inside = PairSum.of(crowd, COLUMNS), list(crowd)
        float_copy = total.float_copy(dtype)
        assert_equal_to(float_copy, inside, COLUMNS)
        if data.draw(st.booleans()):
            # As if fewer digits fitted in the type.
            float_copy._exact_below = 0.0
        for _ in range(data.draw(st.integers(0, 8))):
            before, total, changed = total, total.copy(), []
            for _ in range(data.draw(st.sampled_from([1, 1, 1, 2]))):
                if inside and (not more or data.draw(st.booleans())):
                    one = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                    total.remove(one)
                elif more:
                    one = more.pop()
                    inside.append(one)
                    total.add(one)
                else:
                    continue
                changed.append(one.items)
            if data.draw(st.booleans()):
                data.draw(st.sampled_from([before, total])).flush()
            total.sync(float_copy, changed)
            assert_equal_to(float_copy, inside, total.columns)
            assert_names_no_more(float_copy, inside, total.columns)
            assert_knows(float_copy, total, inside)
            assert not changed or float_copy.pairs(np.arange(3, dtype=np.int32), before._current.content) is None


def assert_knows(float_copy, total, inside):
    """The pairs that a float copy is sure of are those of the sum to the last step; so are those that the sum tells."""
    every = np.arange(total.columns, dtype=np.int32)
    whole = np.array(expected(inside, total.columns), np.int64)
    pairs, rounded, _ = float_copy.pairs(every, total._current.content)
    sure = np.setdiff1d(every, rounded)
    assert np.triu(pairs)[sure].tolist() == np.triu(whole)[sure].tolist()
    assert total.pairs(every).tolist() == np.triu(whole).tolist()


def test_strangers_are_refused_by_what_the_image_knows():
    """A sum with a float copy refuses, and reports, exactly what it would without."""
    total = PairSum.of([person(0, 1, 2), person(1, 5)], COLUMNS)
    float_copy, content = total.float_copy("float32"), total._current.content
    for stranger in (person(0, 5), person(0, 1, weight=4), person(3)):
        with pytest.raises(NotLearned):
            total.remove(stranger)
    assert float_copy.content is total._current.content is content
    total.remove(person(1, 5))
    assert total.digest() == PairSum.of([person(0, 1, 2)], COLUMNS).digest()


def test_what_was_found_in_one_image_is_not_taken_for_another():
    """Two readers of one sum each follow in their own float copy; a sum whose float copy is gone goes on without."""
    total, gone = PairSum.of([person(0, 1, 2), person(1, 5)], COLUMNS), person(1, 5)
    one, other = total.float_copy("float32"), total.float_copy("float64")
    for float_copy in (one, other):
        fresh = total.copy()
        fresh.remove(gone)
        fresh.sync(float_copy, [gone.items])
        assert_equal_to(float_copy, [person(0, 1, 2)], COLUMNS)
    del one, other, float_copy
    fresh.add(gone)
    assert fresh.digest() == total.digest()


def test_a_gone_pair_takes_its_name_along(monkeypatch):
    """Zeros are called after the last entry before them that is still there, also when that one goes later."""
    crowd = [person(0, 2), person(2, 3), person(2, 4), person(2, 5)]
    monkeypatch.setattr(float_copy_module, "_FULL_SHARE", 1)
    total = PairSum.of(crowd, COLUMNS)
    float_copy = total.float_copy("float64")
    for place, names in ((2, [0, 3, 3, 5]), (1, [0, 0, 0, 5]), (3, [0, 0, 0, 0]), (0, [0, 0, 0, 0])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(float_copy_module, "_ZERO_SHARE", 0)
            total.remove(crowd[place])
            total.sync(float_copy, [crowd[place].items])
        assert float_copy._indices[float_copy._starts[2] : float_copy._ends[2]].tolist() == names
    assert not float_copy._values.any()


@pytest.mark.parametrize("share", [1, 1000])
def test_rows_that_outgrow_their_place_go_elsewhere(share, monkeypatch):
    """There is room behind all rows, and once it is used up all are written anew with more."""
    monkeypatch.setattr(float_copy_module, "_ROOM_SHARE", share)
    monkeypatch.setattr(float_copy_module, "_ROOM_ENTRIES", 1)
    monkeypatch.setattr(float_copy_module, "_FULL_SHARE", 0)
    total, inside, columns = PairSum(60), [], 60
    float_copy, sizes = total.float_copy("float32"), set()
    for first in range(0, 40, 2):
        inside.append(person(0, 1, *range(first + 2, first + 8)))
        total = total.copy()
        total.add(inside[-1])
        total.sync(float_copy, [inside[-1].items])
        sizes.add(len(float_copy._indices))
        assert_equal_to(float_copy, inside, columns)
        assert_names_no_more(float_copy, inside, columns)
    # With much room not each time, with next to none each time.
    assert 2 < len(sizes) < 20 if share == 1 else len(sizes) == 20


def test_it_takes_over_many_pairs_at_once():
    """Pairs that nothing happened to stay as they are, and an empty sum has a float copy too."""
    before, after = [person(0, 1, 2), person(1, 5)], [person(1, 2, 6), person(1, 5)]
    float_copy, every = PairSum.of(before, COLUMNS).float_copy("float64"), np.arange(COLUMNS, dtype=np.int32)
    float_copy.follow(every, PairSum.of(after, COLUMNS).pairs(every))
    assert_equal_to(float_copy, after, COLUMNS)
    assert not PairSum(3).float_copy("float32").rows(np.arange(3, dtype=np.int32)).any()
    assert PairSum(0).float_copy("float32").columns == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("span", [0, 2, 9, 30])
def test_what_a_float_copy_takes_is_told_before_it_is_made(span, dtype):
    """The bytes are those of the arrays, for sums of rows in full, of rows of entries, and of nothing."""
    total, random = PairSum(200), np.random.default_rng(span)
    for _ in range(60 if span else 0):
        total.add(contribution(random.choice(200, random.integers(1, span + 1), replace=False)))
    float_copy = total.float_copy(dtype)
    assert (
        total.float_copy_bytes(dtype)
        == float_copy._full_rows.nbytes + float_copy._indices.nbytes + float_copy._values.nbytes
    )
    assert (float_copy._slots >= 0).any() == (span > 2)
