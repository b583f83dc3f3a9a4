import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.build as build_module
import assent.sums.pairs as pairs_module
from assent.sums import COLUMNS_MAX, ENTRY_MAX, UNIT, Contribution, PairSum
from assent.terms.errors import Corrupt, InvalidInput, NotLearned, SumOverflow

COLUMNS = 8


@st.composite
def people(draw, *, size_min=0, size_max=8):
    def one():
        items = sorted(draw(st.sets(st.integers(0, COLUMNS - 1), min_size=1, max_size=5)))
        values = draw(st.lists(st.integers(1, 5), min_size=len(items), max_size=len(items)))
        return Contribution(np.array(items, np.int32), np.array(values, np.int32), draw(st.integers(1, UNIT)))

    return [one() for _ in range(draw(st.integers(size_min, size_max)))]


def person(*items, weight=3):
    return Contribution(np.array(items, np.int32), np.ones(len(items), np.int32), weight)


def dense(total):
    """The whole symmetric matrix, in Python's own whole numbers."""
    whole = [[0] * total.columns for _ in range(total.columns)]
    for item in range(total.columns):
        for other, number in zip(*(part.tolist() for part in total.row(item)), strict=True):
            whole[item][other] = whole[other][item] = number
    return whole


def expected(crowd, columns=COLUMNS):
    whole = [[0] * columns for _ in range(columns)]
    for one in crowd:
        held = list(zip(one.items.tolist(), one.values.tolist(), strict=True))
        for item, value in held:
            for other, number in held:
                whole[item][other] += one.weight * value * number
    return whole


def one_by_one(crowd, columns=COLUMNS):
    total = PairSum(columns)
    for one in crowd:
        total.add(one)
    return total


@settings(deadline=None)
@given(people())
def test_the_sum_is_the_sum_of_rank_one_matrices(crowd):
    """Added up at once or one by one, every entry is `sum w v v'` in whole numbers, with its counts."""
    for total in (PairSum.of(crowd, COLUMNS), one_by_one(crowd)):
        assert dense(total) == expected(crowd)
        assert total.people == len(crowd)
        assert total.counts.tolist() == [sum(item in one.items for one in crowd) for item in range(COLUMNS)]
        assert total.diagonal().tolist() == [expected(crowd)[item][item] for item in range(COLUMNS)]
        for item in range(COLUMNS):
            assert total.column(item).tolist() == expected(crowd)[item]


@settings(deadline=None)
@given(people(size_min=1), st.data())
def test_taking_people_out_leaves_no_trace(crowd, data):
    """After removals in any order, digest and stored rows are those of a sum that never had these people."""
    order = data.draw(st.permutations(range(len(crowd))))
    leaving = set(order[: data.draw(st.integers(0, len(crowd)))])
    total = PairSum.of(crowd, COLUMNS)
    if data.draw(st.booleans()):
        total.digest()
    for place in order:
        if place in leaving:
            total.remove(crowd[place])
    never = PairSum.of([one for place, one in enumerate(crowd) if place not in leaving], COLUMNS)
    assert total.digest() == never.digest()
    assert [total.row_bytes(item) for item in range(COLUMNS)] == [never.row_bytes(item) for item in range(COLUMNS)]
    assert all(np.array_equal(left, right) for left, right in zip(total.arrays(), never.arrays(), strict=True))
    assert total.digest() == never.digest()


@settings(deadline=None, max_examples=50)
@given(people(size_min=1), people(), st.data())
def test_columns_are_those_of_the_matrix_after_every_change(crowd, more, data):
    """A column has both sides of the diagonal after every change, and an earlier copy does not change."""
    total = PairSum.of(crowd, COLUMNS)
    unasked = total.copy()
    inside, columns = list(crowd), COLUMNS
    for act in data.draw(st.lists(st.sampled_from(["add", "remove", "merge", "replace", "grow", "copy"]), max_size=6)):
        if act == "add" and more:
            inside.append(more.pop())
            total.add(inside[-1])
        elif act == "remove" and inside:
            total.remove(inside.pop())
        elif act == "merge":
            total.merge(PairSum.of([person(0, 2)], columns))
            inside.append(person(0, 2))
        elif act == "replace":
            inside = inside[::2]
            fresh = PairSum.of(inside, columns)
            rows = {item: fresh.row_bytes(item) for item in range(columns)}
            total.replace_rows(rows, fresh.counts, fresh.people)
            with pytest.raises(Corrupt):
                total.replace_rows({0: PairSum.of([person(0, 7)], columns).row_bytes(0)}, fresh.counts, -1)
        elif act == "grow":
            columns += 1
            total.grow(columns)
        else:
            twin = total.copy()
            twin.add(person(3, 5))
    whole = expected(inside, columns)
    assert [total.column(item).tolist() for item in range(columns)] == whole
    assert [unasked.column(item).tolist() for item in range(COLUMNS)] == expected(crowd)


@settings(deadline=None)
@given(people(), st.sets(st.integers(0, COLUMNS - 1), max_size=4), st.booleans())
def test_pairs_and_filled_matrices_are_those_of_the_matrix(crowd, items, later):
    """The pairs of some items and the filled matrix are those of the dense matrix."""
    total = one_by_one(crowd) if later else PairSum.of(crowd, COLUMNS)
    whole = np.array(expected(crowd), np.float64) / UNIT
    for dtype in (np.float32, np.float64):
        out = np.full((COLUMNS, COLUMNS), 7, dtype)
        total.fill(out)
        assert out.tolist() == np.triu(whole).astype(dtype).tolist()
    some = np.array(sorted(items), np.int32)
    assert (total.pairs(some) / UNIT).tolist() == np.triu(whole[np.ix_(some, some)]).tolist()


def test_a_matrix_is_filled_in_blocks(monkeypatch):
    """Blocks smaller than one row fill the same matrix; so does a sum without columns."""
    monkeypatch.setattr(pairs_module, "_FILL_ENTRIES", 2)
    total = PairSum.of([person(0, 1, 2, 3), person(1, 5)], COLUMNS)
    out = np.empty((COLUMNS, COLUMNS))
    total.fill(out)
    assert (out * UNIT).tolist() == np.triu(expected([person(0, 1, 2, 3), person(1, 5)])).tolist()
    PairSum(0).fill(np.empty((0, 0)))


@settings(deadline=None)
@given(people(), people())
def test_merged_shards_are_the_whole(left, right):
    """Two shards merged are the sum over all people."""
    total = PairSum.of(left, COLUMNS)
    total.merge(PairSum.of(right, COLUMNS))
    assert total.digest() == PairSum.of([*right, *left], COLUMNS).digest()


@settings(deadline=None)
@given(people(size_min=1), people())
def test_a_copy_is_independent(crowd, more):
    """Changing a copy leaves the sum it came from as it was, and shares what did not change."""
    total = PairSum.of(crowd, COLUMNS)
    before = total.digest()
    twin = total.copy()
    for one in more:
        twin.add(one)
    twin.remove(crowd[0])
    assert total.digest() == before
    assert twin.digest() == PairSum.of([*crowd[1:], *more], COLUMNS).digest()


@settings(deadline=None)
@given(people(), st.booleans())
def test_stored_rows_give_the_sum_back(crowd, digested):
    """All rows in their stored form, with counts and people, make the same sum."""
    total = one_by_one(crowd)
    rows = {item: total.row_bytes(item) for item in range(COLUMNS)}
    if digested:
        total.digest()
    again = PairSum.from_row_bytes(COLUMNS, rows, total.counts, total.people)
    assert again.digest() == total.digest()
    assert PairSum.from_arrays(total.arrays(), total.counts, total.people).digest() == total.digest()


@settings(deadline=None)
@given(people(), st.booleans())
def test_a_grown_sum_is_a_sum_over_more_columns(crowd, digested):
    """Growing is as if the columns had been there from the start; and it is another sum than before."""
    total = PairSum.of(crowd, COLUMNS)
    before = total.digest() if digested else ""
    total.grow(COLUMNS + 3)
    assert total.digest() == PairSum.of(crowd, COLUMNS + 3).digest() != before
    total.grow(COLUMNS + 3)
    total.add(person(1, COLUMNS + 2))
    assert total.digest() == PairSum.of([*crowd, person(1, COLUMNS + 2)], COLUMNS + 3).digest()
    total.remove(person(1, COLUMNS + 2))
    total.grow(COLUMNS + 4)
    assert total.digest() == PairSum.of(crowd, COLUMNS + 4).digest()


def test_a_sum_without_columns_is_a_sum():
    """Nothing over nothing has a digest too."""
    assert PairSum.of([], 0).digest() == PairSum(0).digest()


def test_blocks_do_not_change_the_sum(monkeypatch):
    """Built in many small blocks or in one, the sum is the same."""
    random = np.random.default_rng(1)
    crowd = [person(*np.flatnonzero(random.random(40) < 0.3).tolist()) for _ in range(60)]
    at_once = PairSum.of(crowd, 40).digest()
    monkeypatch.setattr(build_module, "_BLOCK_ENTRIES", 100)
    assert PairSum.of(crowd, 40).digest() == at_once
    monkeypatch.setattr(build_module, "_BLOCK_ENTRIES", 1)
    assert PairSum.of(crowd, 40).digest() == at_once


def test_the_digest_tells_sums_apart():
    """Weight, items, counts and people all show in the digest."""
    sums = [PairSum.of(crowd, COLUMNS) for crowd in ([], [person(1)], [person(2)], [person(1, weight=4)])]
    # Two people of weight 3 and one of weight 6 have the same rows, but not the same counts.
    sums += [PairSum.of([person(1), person(1)], COLUMNS), PairSum.of([person(1, weight=6)], COLUMNS)]
    assert len({total.digest() for total in sums}) == len(sums)


def test_the_digest_is_known():
    """The digest of a small sum stays what it is: stored digests must hold after an upgrade."""
    total = PairSum.of([person(0, 2), person(2, 3, weight=UNIT)], 4)
    assert total.digest() == "b96bff2056ac707548c6282f4925115aa0cb3e4db3894ad507556b6ae328db7d"


def test_somebody_without_items_adds_nothing():
    """An empty contribution is neither counted nor missed."""
    nobody = person()
    total = PairSum.of([nobody, person(1)], COLUMNS)
    total.add(nobody)
    total.remove(nobody)
    assert total.digest() == PairSum.of([person(1)], COLUMNS).digest()


@pytest.mark.parametrize(
    "stranger",
    [
        person(5),
        person(0, 1, COLUMNS),
        person(0, 2),
        person(0, 1, 2),
        person(0, 1, weight=20),
        person(0, 1, weight=2),
        person(3, weight=3),
    ],
    ids=["unheld item", "past the end", "unheld pair", "unheld item more", "heavier", "lighter and last", "part"],
)
def test_a_stranger_is_refused_and_changes_nothing(stranger):
    """A person who cannot be in the sum is refused before anything changes."""
    total = PairSum.of([person(0, 1), person(2, 3)], COLUMNS)
    digest = total.digest()
    with pytest.raises(NotLearned):
        total.remove(stranger)
    assert total.digest() == digest
    assert total.people == 2


def test_the_last_person_takes_everything_along():
    """With one person left, only all of what they hold can be taken."""
    total = PairSum.of([person(0, 1, 2)], COLUMNS)
    with pytest.raises(NotLearned):
        total.remove(person(0, 1))
    total.remove(person(0, 1, 2))
    assert total.digest() == PairSum(COLUMNS).digest()
    with pytest.raises(NotLearned):
        total.remove(person(0, 1, 2))


def test_the_last_person_takes_every_item_along():
    """With one person left, somebody who holds less than all of it is refused even if their own rows empty out."""
    total = PairSum.of([person(0)], COLUMNS)
    total.merge(PairSum.of([person(1)], COLUMNS))
    total.people = 1
    with pytest.raises(NotLearned):
        total.remove(person(0))


def test_a_diagonal_may_not_empty_before_the_rest():
    """Taking all of an item's own weight while others still hold it is refused."""
    total = PairSum.of([person(0, 1), person(0, 1)], COLUMNS)
    with pytest.raises(NotLearned):
        total.remove(person(0, weight=6))
    with pytest.raises(NotLearned):
        total.remove(person(0, 1, weight=6))


def test_a_sum_that_would_overflow_is_refused():
    """Entries stay below 2^61: in bulk, one by one, and when shards are merged."""
    heavy = Contribution(np.array([1], np.int32), np.array([60], np.int32), UNIT)
    total = PairSum.of([heavy], COLUMNS)
    rows = {1: PairSum.of([person(1)], COLUMNS).row(1)}
    huge = PairSum.from_arrays(
        (np.array([0, 0, 1, 1, 1, 1, 1, 1, 1]), rows[1].indices, np.array([ENTRY_MAX - 5])), total.counts, 1
    )
    digest = huge.digest()
    with pytest.raises(SumOverflow):
        huge.add(heavy)
    with pytest.raises(SumOverflow):
        huge.merge(total)
    assert huge.digest() == digest
    huge.add(person(1))
    matrix = scipy.sparse.csr_matrix(np.full((2, 1), 1 << 22, np.int64))
    with pytest.raises(SumOverflow):
        PairSum.from_matrix(matrix, np.array([UNIT, UNIT]))
    # The quick bound fails here, the exact one does not.
    uneven = scipy.sparse.csr_matrix(np.array([[1 << 20], [1], [1]], np.int64))
    assert PairSum.from_matrix(uneven, np.full(3, UNIT)).diagonal()[0] == UNIT * ((1 << 40) + 2)


def test_columns_are_bounded_and_only_grow():
    """A sum has a sensible number of columns; contributions and shards must fit it."""
    for wrong in (-1, COLUMNS_MAX + 1):
        with pytest.raises(InvalidInput):
            PairSum(wrong)
    total = PairSum(COLUMNS)
    for wrong in (COLUMNS - 1, COLUMNS_MAX + 1):
        with pytest.raises(InvalidInput):
            total.grow(wrong)
    with pytest.raises(InvalidInput):
        total.add(person(COLUMNS))
    with pytest.raises(InvalidInput):
        PairSum.of([person(COLUMNS)], COLUMNS)
    with pytest.raises(InvalidInput):
        total.merge(PairSum(COLUMNS + 1))


def test_rows_that_do_not_belong_together_are_refused():
    """Rows without counts, counts without rows, too few people, or a row past the end are not a sum."""
    total = PairSum.of([person(0, 1), person(1)], COLUMNS)
    digest = total.digest()
    rows = {item: total.row_bytes(item) for item in range(COLUMNS)}
    fewer = total.counts.copy()
    fewer[1] = 0
    nobody = np.zeros(COLUMNS, np.int64)
    empty = {item: PairSum(COLUMNS).row_bytes(item) for item in range(COLUMNS)}
    for counts, people_there, changed in (
        (fewer, 2, {}),
        (total.counts, 1, {}),
        (total.counts[:-1], 2, {}),
        (total.counts, 2, {1: empty[1]}),
        (total.counts, 2, {COLUMNS: empty[1]}),
        (total.counts, 2, {1: b"?"}),
        (nobody, 1, empty),
    ):
        with pytest.raises(Corrupt):
            total.replace_rows({**rows, **changed}, counts, people_there)
        assert total.digest() == digest
    total.replace_rows(empty, nobody, 0)
    assert total.digest() == PairSum(COLUMNS).digest()


def test_arrays_that_are_no_upper_triangle_are_refused():
    """Arrays of a damaged file do not become a sum."""
    total = PairSum.of([person(0, 1), person(1, 2)], 3)
    starts, indices, values = total.arrays()
    wrong = [
        (starts[:-1], indices, values, total.counts),
        (starts + 1, indices, values, total.counts),
        (starts, indices[:-1], values, total.counts),
        (starts, indices, values[:-1], total.counts),
        (np.array([0, 3, 2, 5]), indices, values, total.counts),
        (starts, indices[::-1], values, total.counts),
        (starts, indices + 1, values, total.counts),
        (starts, np.array([0, 0, 1, 2, 2], np.int32), values, total.counts),
        (starts, indices, values - values, total.counts),
        (starts, indices, values, np.array([1, 0, 1])),
    ]
    for one, two, three, counts in wrong:
        with pytest.raises(Corrupt):
            PairSum.from_arrays((one, two, three), counts, 2)
    assert PairSum.from_arrays((np.zeros(4, np.int64), *PairSum(3).arrays()[1:]), np.zeros(3, np.int64), 0).people == 0
