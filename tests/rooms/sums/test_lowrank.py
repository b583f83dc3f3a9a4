import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.lowrank as lowrank_module
from assent.sums import LowRankInverse, invert_in_place
from assent.sums.lowrank import Term
from assent.terms.errors import Corrupt

SIZE = 12


def ridge_inverse(dtype="float64", *, pending_terms=4, ridge=2.0):
    return LowRankInverse((np.eye(SIZE) / ridge).astype(dtype), pending_terms=pending_terms)


def whole_of(inverse):
    everything = np.arange(inverse.size, dtype=np.int32)
    return np.array([inverse.times(everything[[item]], np.ones(1)) for item in range(inverse.size)])


@st.composite
def vectors(draw):
    items = sorted(draw(st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=5)))
    values = draw(st.lists(st.integers(1, 3), min_size=len(items), max_size=len(items)))
    return np.array(items, np.int32), np.array(values, np.float64)


@settings(deadline=None)
@given(st.lists(vectors(), max_size=12), st.data())
def test_it_follows_what_comes_and_what_leaves(crowd, data):
    """After any run of terms the parts, the whole, the blocks and the diagonal are those of the inverse."""
    inverse = ridge_inverse()
    matrix = 2.0 * np.eye(SIZE)
    inside = []
    for comer in crowd:
        leaves = bool(inside) and data.draw(st.booleans())
        items, values = inside.pop() if leaves else comer
        scale = -0.5 if leaves else 0.5
        if not leaves:
            inside.append(comer)
        inverse.update(items, values, scale, float((values**2 / 2.0).sum()))
        matrix[np.ix_(items, items)] += scale * np.outer(values, values)
    expected = np.linalg.inv(matrix)
    assert inverse.terms == len(crowd)
    np.testing.assert_allclose(whole_of(inverse), expected, atol=1e-12)
    np.testing.assert_allclose(inverse.diagonal, np.diagonal(expected), atol=1e-12)
    some = np.array([1, 5, 7], np.int32)
    np.testing.assert_allclose(inverse.block(some, some[:2]), expected[np.ix_(some, some[:2])], atol=1e-12)
    assert inverse.residual(3, matrix[3]) < 1e-12
    np.testing.assert_allclose(inverse.whole(), expected, atol=1e-12)
    assert inverse.pending == 0
    assert np.array_equal(inverse.whole(), inverse.whole().T)
    assert inverse.residual(3, matrix[3]) < 1e-12
    assert inverse.residual(3, matrix[3] + 1.0) > 1e-3


def test_folding_in_tiles_is_folding(monkeypatch):
    """Tiles smaller than the matrix fold the same terms in."""
    items = np.array([0, 3, 11], np.int32)
    one, other = ridge_inverse(), ridge_inverse()
    for each in (one, other):
        each.update(items, np.ones(3), 0.7)
        each.update(items[:2], np.ones(2), 0.2)
    one.fold()
    monkeypatch.setattr(lowrank_module, "_TILE_ROWS", 3)
    monkeypatch.setattr(lowrank_module, "_TILE_COLUMNS", 5)
    other.fold()
    np.testing.assert_allclose(other.dense, one.dense, atol=1e-15)
    assert np.array_equal(other.dense, other.dense.T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_violated_bound_stops_before_anything_changes(dtype):
    """Taking away what was never there breaks the bound, and leaves the inverse as it was."""
    inverse = ridge_inverse(dtype)
    items, values = np.array([2, 4], np.int32), np.ones(2)
    inverse.update(items, values, 1.0, 1.0)
    before = whole_of(inverse)
    inverse.update(items, values, -1.0, 1.0)
    with pytest.raises(Corrupt):
        inverse.update(items, values, -1.0, 1.0)
    with pytest.raises(Corrupt):
        inverse.update(items, values, -5.0, 1.0)
    with pytest.raises(Corrupt):
        inverse.update(items, values * np.nan, 1.0, 1.0)
    inverse.update(items, values, 1.0, 1.0)
    np.testing.assert_allclose(whole_of(inverse), before, atol=1e-6)
    inverse.dense[:] = -1.0
    with pytest.raises(Corrupt):
        inverse.update(items, values, 1.0, 1.0)


def test_a_grown_inverse_is_the_inverse_of_the_grown_matrix():
    """New rows are unconnected until a change connects them."""
    inverse = ridge_inverse()
    matrix = 2.0 * np.eye(SIZE)
    items = np.array([0, 1], np.int32)
    inverse.update(items, np.ones(2), 1.0)
    matrix[np.ix_(items, items)] += 1.0
    inverse.grow(np.array([4.0, 8.0]))
    matrix = np.block([[matrix, np.zeros((SIZE, 2))], [np.zeros((2, SIZE)), np.diag([4.0, 8.0])]])
    inverse.update(np.array([1, SIZE + 1], np.int32), np.ones(2), 1.0)
    matrix[np.ix_([1, SIZE + 1], [1, SIZE + 1])] += 1.0
    np.testing.assert_allclose(whole_of(inverse), np.linalg.inv(matrix), atol=1e-12)
    np.testing.assert_allclose(inverse.diagonal, np.diagonal(np.linalg.inv(matrix)), atol=1e-12)


def test_a_copy_goes_its_own_way():
    """Changes of a copy do not reach the inverse it came from."""
    inverse = ridge_inverse()
    inverse.update(np.array([1], np.int32), np.ones(1), 1.0)
    before = whole_of(inverse)
    twin = inverse.copy()
    np.testing.assert_array_equal(whole_of(twin), before)
    twin.update(np.array([2], np.int32), np.ones(1), 1.0)
    twin.fold()
    np.testing.assert_array_equal(whole_of(inverse), before)


def test_a_read_only_inverse_is_shared_and_never_written():
    """A map of a file serves as it is, also in copies; what is folded goes to a copy of one's own."""
    inverse = ridge_inverse()
    mapped = inverse.dense
    mapped.setflags(write=False)
    before = mapped.copy()
    twin = inverse.copy()
    assert twin.dense is mapped
    twin.update(np.array([2, 4], np.int32), np.ones(2), 1.0)
    expected = whole_of(twin)
    assert len(LowRankInverse(mapped)._factors) > len(LowRankInverse(mapped.copy())._factors)
    np.testing.assert_allclose(twin.whole(), expected, atol=1e-15)
    assert inverse.dense is mapped
    np.testing.assert_array_equal(mapped, before)


def test_a_thousand_people_leave_without_drift():
    """After a thousand people left, the inverse is within rounding of one that never held them."""
    random = np.random.default_rng(5)
    size = 60
    matrix = 20.0 * np.eye(size)
    crowd = [np.flatnonzero(random.random(size) < 0.15).astype(np.int32) for _ in range(1000)]
    start = matrix.copy()
    for items in crowd:
        matrix[np.ix_(items, items)] += 0.5
    for dtype, limit in (("float32", 1e-5), ("float64", 1e-14)):
        full = matrix.astype(dtype)
        invert_in_place(full)
        inverse = LowRankInverse(full)
        for items in crowd:
            inverse.update(items, np.ones(len(items)), -0.5, len(items) / 20.0)
        assert np.abs(inverse.whole() - np.linalg.inv(start)).max() < limit


@settings(deadline=None)
@given(st.lists(vectors(), min_size=1, max_size=30), st.integers(1, 9), st.integers(1, 5), st.data())
def test_a_fold_under_way_shows_in_no_answer(crowd, pending_terms, tile_rows, data):
    """Whatever slices terms are folded in by, alone or several at a time, every answer is that of the inverse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowrank_module, "_TILE_ROWS", tile_rows)
        patch.setattr(lowrank_module, "_TILE_COLUMNS", 2 * tile_rows)
        inverse, matrix, size = ridge_inverse(pending_terms=pending_terms), 2.0 * np.eye(SIZE), SIZE
        while crowd:
            together = [crowd.pop() for _ in range(min(data.draw(st.integers(1, 4)), len(crowd)))]
            for items, values in together:
                matrix[np.ix_(items, items)] += 0.5 * np.outer(values, values)
            inverse.update_all([Term(items, values, 0.5) for items, values in together])
            act = data.draw(st.sampled_from(["go on", "copy", "grow", "whole"]))
            if act == "copy":
                left, inverse = inverse, inverse.copy()
                left.fold()
                np.testing.assert_allclose(left.dense, np.linalg.inv(matrix), atol=1e-12)
            elif act == "grow":
                inverse.grow(np.array([4.0]))
                matrix = np.block([[matrix, np.zeros((size, 1))], [np.zeros((1, size)), np.full((1, 1), 4.0)]])
                size += 1
            elif act == "whole":
                assert np.array_equal(inverse.whole(), inverse.dense.T)
            expected = np.linalg.inv(matrix)
            assert inverse.pending <= pending_terms
            np.testing.assert_allclose(whole_of(inverse), expected, atol=1e-12)
            np.testing.assert_allclose(inverse.rows(np.arange(size)), expected, atol=1e-12)
            some, weights = np.array([1, 4, 9], np.int32), np.array([1.0, 0.5, 2.0])
            others = expected - np.diag(np.diagonal(expected))
            np.testing.assert_allclose(inverse.times(some, weights, own=False), weights @ others[some], atol=1e-12)
            np.testing.assert_allclose(inverse.diagonal, np.diagonal(expected), atol=1e-12)


def test_no_change_waits_for_a_whole_fold(monkeypatch):
    """Bands are folded a few at a time, all of them before there is no room left."""
    monkeypatch.setattr(lowrank_module, "_TILE_ROWS", 1)
    bands = []
    fold_band = LowRankInverse._fold_band
    monkeypatch.setattr(LowRankInverse, "_fold_band", lambda inverse: (bands.append(1), fold_band(inverse)))
    inverse = LowRankInverse(np.eye(90), pending_terms=48)
    longest = 0
    for item in range(400):
        bands.clear()
        inverse.update(np.array([item % 90], np.int32), np.ones(1), 0.1)
        longest = max(longest, len(bands))
    assert inverse.pending < 48
    assert 0 < longest <= 90 // 3
    expected = 1.0 / (1.0 + 0.1 * np.bincount(np.arange(400) % 90))
    np.testing.assert_allclose(np.diagonal(inverse.whole()), expected, atol=1e-14)


def test_a_read_only_inverse_is_copied_once_there_is_no_room():
    """What a map of a file cannot take waits beside it as long as it can; then a copy takes all of it."""
    mapped = np.eye(SIZE)
    mapped.setflags(write=False)
    inverse = LowRankInverse(mapped, pending_terms=4)
    for item in range(4):
        inverse.update(np.array([item], np.int32), np.ones(1), 1.0)
    assert inverse.dense is mapped
    assert inverse.pending == 4
    inverse.update(np.array([4], np.int32), np.ones(1), 1.0)
    assert inverse.dense is not mapped
    np.testing.assert_array_equal(mapped, np.eye(SIZE))
    np.testing.assert_array_equal(np.diagonal(inverse.whole()), [0.5] * 5 + [1.0] * 7)
