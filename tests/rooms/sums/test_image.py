"""The image of a sum: every reader sees the matrix, whatever came and went, and nobody sees what is gone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.image as image_module
from assent.models.recommender import contribution
from assent.sums import UNIT, PairSum
from assent.terms.errors import NotLearned
from tests.rooms.sums.test_pairs import COLUMNS, expected, people, person


def assert_shows(image, inside, columns):
    whole = np.array(expected(inside, columns), np.float64) / UNIT
    np.fill_diagonal(whole, 0.0)
    every = np.arange(columns, dtype=np.int32)
    near = 1e-5 if image.rows(every).dtype == np.float32 else 1e-12
    np.testing.assert_allclose(image.rows(every), whole, rtol=near)
    some, targets = every[[6, 1, 4]], every[[5, 0, 4, 1]]
    np.testing.assert_allclose(image.block(some, targets), whole[np.ix_(some, targets)], rtol=near)
    weights = np.array([1.0, 2.0, 0.5])
    np.testing.assert_allclose(image.times(some, weights), weights @ whole[some], atol=20 * near)
    assert not image.times(some[:0], weights[:0]).any()


def assert_says_no_more(image, inside, columns):
    """No column is named in a row but those of its pairs; a zero without an entry before it stands under 0."""
    whole = np.array(expected(inside, columns), object) != 0
    for item in range(columns):
        if image._slots[item] >= 0:
            continue
        named = image._indices[image._starts[item] : image._ends[item]]
        assert (np.diff(named) >= 0).all()
        assert set(named.tolist()) - {0} <= set(np.flatnonzero(whole[item]).tolist()) - {item}
        zeros = image._values[image._starts[item] : image._ends[item]] == 0
        assert image._nothing[item] >= zeros.sum()
    used = np.zeros(len(image._indices), np.bool_)
    for first, last in zip(image._starts.tolist(), image._ends.tolist(), strict=True):
        assert not used[first:last].any()
        used[first:last] = True
    assert not image._indices[~used].any()
    assert not image._values[~used].any()


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
        patch.setattr(image_module, "_ROOM_SHARE", data.draw(st.sampled_from([1, 1000])))
        patch.setattr(image_module, "_ROOM_ENTRIES", data.draw(st.integers(1, 3)))
        patch.setattr(image_module, "_BLOCK_ENTRIES", data.draw(st.integers(1, 40)))
        patch.setattr(image_module, "_NOTHING_SHARE", share)
        patch.setattr(image_module, "_REACH_ENTRIES", reach)
        patch.setattr(image_module, "_FULL_SHARE", full)
        total, inside = PairSum.of(crowd, COLUMNS), list(crowd)
        image = total.image(dtype)
        assert_shows(image, inside, COLUMNS)
        if data.draw(st.booleans()):
            # As if fewer digits fitted in the type.
            image._sure = 0.0
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
                data.draw(st.sampled_from([before, total])).settle()
            total.show(image, changed)
            assert_shows(image, inside, total.columns)
            assert_says_no_more(image, inside, total.columns)
            assert_knows(image, total, inside)
            assert not changed or image.pairs(np.arange(3, dtype=np.int32), before._standing.says) is None


def assert_knows(image, total, inside):
    """The pairs that an image is sure of are those of the sum to the last step; so are those that the sum tells."""
    every = np.arange(total.columns, dtype=np.int32)
    whole = np.array(expected(inside, total.columns), np.int64)
    pairs, unsure, _ = image.pairs(every, total._standing.says)
    sure = np.setdiff1d(every, unsure)
    assert np.triu(pairs)[sure].tolist() == np.triu(whole)[sure].tolist()
    assert total.pairs(every).tolist() == np.triu(whole).tolist()


def test_strangers_are_refused_by_what_the_image_knows():
    """A sum whose pairs are found in an image refuses, and says, exactly what it would without."""
    total = PairSum.of([person(0, 1, 2), person(1, 5)], COLUMNS)
    image, says = total.image("float32"), total._standing.says
    for stranger in (person(0, 5), person(0, 1, weight=4), person(3)):
        with pytest.raises(NotLearned):
            total.remove(stranger)
    assert image.says is total._standing.says is says
    total.remove(person(1, 5))
    assert total.digest() == PairSum.of([person(0, 1, 2)], COLUMNS).digest()


def test_what_was_found_in_one_image_is_not_taken_for_another():
    """Two readers of one sum each follow in their own image; a sum whose image is gone goes on without."""
    total, gone = PairSum.of([person(0, 1, 2), person(1, 5)], COLUMNS), person(1, 5)
    one, other = total.image("float32"), total.image("float64")
    for image in (one, other):
        fresh = total.copy()
        fresh.remove(gone)
        fresh.show(image, [gone.items])
        assert_shows(image, [person(0, 1, 2)], COLUMNS)
    del one, other, image
    fresh.add(gone)
    assert fresh.digest() == total.digest()


def test_a_gone_pair_takes_its_name_along(monkeypatch):
    """Zeros are called after the last entry before them that is still there, also when that one goes later."""
    crowd = [person(0, 2), person(2, 3), person(2, 4), person(2, 5)]
    monkeypatch.setattr(image_module, "_FULL_SHARE", 1)
    total = PairSum.of(crowd, COLUMNS)
    image = total.image("float64")
    for place, names in ((2, [0, 3, 3, 5]), (1, [0, 0, 0, 5]), (3, [0, 0, 0, 0]), (0, [0, 0, 0, 0])):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(image_module, "_NOTHING_SHARE", 0)
            total.remove(crowd[place])
            total.show(image, [crowd[place].items])
        assert image._indices[image._starts[2] : image._ends[2]].tolist() == names
    assert not image._values.any()


@pytest.mark.parametrize("share", [1, 1000])
def test_rows_that_outgrow_their_place_go_elsewhere(share, monkeypatch):
    """There is room behind all rows, and once it is used up all are written anew with more."""
    monkeypatch.setattr(image_module, "_ROOM_SHARE", share)
    monkeypatch.setattr(image_module, "_ROOM_ENTRIES", 1)
    monkeypatch.setattr(image_module, "_FULL_SHARE", 0)
    total, inside, columns = PairSum(60), [], 60
    image, sizes = total.image("float32"), set()
    for first in range(0, 40, 2):
        inside.append(person(0, 1, *range(first + 2, first + 8)))
        total = total.copy()
        total.add(inside[-1])
        total.show(image, [inside[-1].items])
        sizes.add(len(image._indices))
        assert_shows(image, inside, columns)
        assert_says_no_more(image, inside, columns)
    # With much room not each time, with next to none each time.
    assert 2 < len(sizes) < 20 if share == 1 else len(sizes) == 20


def test_it_takes_over_many_pairs_at_once():
    """Pairs that nothing happened to stay as they are, and an empty sum has an image too."""
    before, after = [person(0, 1, 2), person(1, 5)], [person(1, 2, 6), person(1, 5)]
    image, every = PairSum.of(before, COLUMNS).image("float64"), np.arange(COLUMNS, dtype=np.int32)
    image.follow(every, PairSum.of(after, COLUMNS).pairs(every))
    assert_shows(image, after, COLUMNS)
    assert not PairSum(3).image("float32").rows(np.arange(3, dtype=np.int32)).any()
    assert PairSum(0).image("float32").columns == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("held", [0, 2, 9, 30])
def test_what_an_image_takes_is_told_before_it_is_made(held, dtype):
    """The bytes told are those of the arrays, for sums of rows in full, of rows of entries, and of nothing."""
    total, random = PairSum(200), np.random.default_rng(held)
    for _ in range(60 if held else 0):
        total.add(contribution(random.choice(200, random.integers(1, held + 1), replace=False)))
    image = total.image(dtype)
    assert total.image_bytes(dtype) == image._full.nbytes + image._indices.nbytes + image._values.nbytes
    assert (image._slots >= 0).any() == (held > 2)
