import itertools

import numpy as np
import pytest
import scipy.sparse

from assent.sums import Contribution, PairSum, sparse_systems, sum_reader
from assent.sums.nearest import NO_ITEM, nearest
from assent.sums.sparse_systems import grouped_order, solve_columns
from assent.sums.sum_reader import SumReader

ITEMS = 40


def people(count, seed=0, items=ITEMS):
    """People who hold a few items each, of different weights."""
    random = np.random.default_rng(seed)
    held = [np.sort(random.choice(items, random.integers(1, 6), replace=False)) for _ in range(count)]
    return [
        Contribution(
            one.astype(np.int32), random.integers(1, 4, len(one)).astype(np.int32), int(random.integers(1, 999))
        )
        for one in held
    ]


def whole(total):
    """The symmetric matrix of a sum, as whole numbers."""
    starts, indices, values = total.copy().arrays()
    upper = scipy.sparse.csr_array((values, indices, starts), shape=(total.columns, total.columns)).toarray()
    return upper + np.triu(upper, 1).T


def dense_rows(reader, items):
    """The rows that a reader gives, as a dense matrix."""
    starts, indices, values = reader.rows(items)
    for first, last in itertools.pairwise(starts):
        assert (np.diff(indices[first:last]) > 0).all()
    return scipy.sparse.csr_array((values, indices, starts), shape=(len(items), reader.total.columns)).toarray()


def expected_rows(total, items):
    """The same rows from the whole matrix, without the diagonal."""
    expected = whole(total)
    np.fill_diagonal(expected, 0)
    return expected[items]


@pytest.fixture(params=["plain", "changed", "grown", "flushed"])
def reader(request):
    """A reader of a sum in each state it can be in."""
    total = PairSum.of(people(30), ITEMS)
    made = SumReader(total)
    if request.param == "plain":
        return made
    fresh = total.copy()
    if request.param == "grown":
        fresh.grow(ITEMS + 3)
        made.follow(fresh, ())
        fresh = fresh.copy()
    some = [*people(5, seed=1), *people(2, seed=2, items=fresh.columns)]
    for one in some:
        fresh.add(one)
    made.follow(fresh, np.unique(np.concatenate([one.items for one in some])).tolist())
    if request.param == "flushed":
        made.flush()
    return made


@pytest.fixture
def small_chunks(monkeypatch):
    """Scan the sum in many chunks."""
    monkeypatch.setattr(sum_reader, "_SCAN_ENTRIES", 7)


@pytest.mark.usefixtures("small_chunks")
def test_rows_are_those_of_the_symmetric_matrix(reader):
    """Whatever rows are asked for, both halves of the matrix are in them."""
    for items in ([0], [3, 4, 9], [ITEMS - 1], [], range(reader.total.columns)):
        asked = np.array(list(items), np.int32)
        np.testing.assert_array_equal(dense_rows(reader, asked), expected_rows(reader.total, asked))


def test_a_copy_of_a_reader_goes_its_own_way(reader):
    """While a copy follows new people, or is flushed, the reader itself does not change."""
    every = np.arange(reader.total.columns, dtype=np.int32)
    before = expected_rows(reader.total, every)
    fresh = reader.total.copy()
    newcomers = people(4, seed=9, items=fresh.columns)
    for one in newcomers:
        fresh.add(one)
    twin = reader.copy()
    for step in (lambda: twin.follow(fresh, every.tolist()), twin.flush):
        step()
        np.testing.assert_array_equal(dense_rows(twin, every), expected_rows(fresh, every))
        np.testing.assert_array_equal(dense_rows(reader, every), before)


def test_a_block_is_that_of_the_symmetric_matrix(reader):
    """A block holds exactly the pairs among its items, and nothing in its last place."""
    for items in ([5], [1, 2, 30], range(reader.total.columns)):
        asked = np.array(list(items), np.int32)
        places = np.indices((len(asked) + 1, len(asked) + 1))
        block = reader.entries(asked, places.min(axis=0), places.max(axis=0))
        np.testing.assert_array_equal(block[:-1, :-1], whole(reader.total)[np.ix_(asked, asked)] / 2**20)
        assert not block[-1].any()
        assert not block[:, -1].any()


@pytest.mark.usefixtures("small_chunks")
def test_lengths_count_every_entry(reader):
    """The entries of each row are known before it is read, the diagonal counted twice."""
    reader.flush()
    matrix = whole(reader.total)
    np.testing.assert_array_equal(reader.lengths(), (matrix > 0).sum(axis=1) + (matrix.diagonal() > 0))


def test_many_changes_put_the_sum_in_order(monkeypatch):
    """Past a share of changed rows the reader starts from the ordered sum again, and reads the same."""
    monkeypatch.setattr(sum_reader, "_CHANGED_ROWS", 2)
    total = PairSum.of(people(30), ITEMS)
    made = SumReader(total)
    fresh = total.copy()
    fresh.add(Contribution(np.arange(10, dtype=np.int32), np.ones(10, np.int32), 5))
    made.follow(fresh, range(10))
    assert not made._changed
    every = np.arange(ITEMS, dtype=np.int32)
    np.testing.assert_array_equal(dense_rows(made, every), expected_rows(fresh, every))


@pytest.mark.parametrize("piece", [4, 1 << 20])
def test_the_nearest_are_the_largest_and_of_equals_the_first(monkeypatch, piece):
    """Each row keeps its largest entries, ties by item number, ascending; empty places have no item."""
    monkeypatch.setattr("assent.sums.nearest._PIECE_ENTRIES", piece)
    random = np.random.default_rng(3)
    lengths = np.array([0, 1, 3, 4, 5, 5, 6, 30, 31, 60])
    starts = np.concatenate(([0], np.cumsum(lengths)))
    indices = np.concatenate([np.sort(random.choice(99, length, replace=False)) for length in lengths]).astype(np.int32)
    closeness = random.integers(1, 5, len(indices)).astype(np.float64)
    chosen, edges = nearest(starts, indices, closeness, 4)
    for row, (first, last) in enumerate(itertools.pairwise(starts)):
        order = np.lexsort((indices[first:last], -closeness[first:last]))[:4]
        best = np.sort(indices[first:last][order])
        assert edges[row] == (np.sort(closeness[first:last])[-4] if last - first > 4 else 0)
        np.testing.assert_array_equal(chosen[row], [*best, *[NO_ITEM] * (4 - len(best))])


def test_no_item_is_near_without_entries():
    """Rows without entries have no neighbors."""
    empty = np.empty(0, np.int32)
    assert (nearest(np.zeros(4, np.int64), empty, empty.astype(np.float64), 2)[0] == NO_ITEM).all()


@pytest.mark.parametrize("together", [2_048, 6])
def test_each_column_is_its_own_regression(monkeypatch, together):
    """Solved together or apart, a column holds the ridge regression of its item on its neighbors, bit for bit."""
    monkeypatch.setattr(sparse_systems, "_BLOCK_ITEMS", together)
    total = PairSum.of(people(60), ITEMS)
    reader = SumReader(total)
    matrix = whole(total) / 2**20
    ridges = np.linspace(0.5, 2.0, ITEMS) / 2**10
    columns = np.arange(ITEMS, dtype=np.int32)
    starts, indices, values = reader.rows(columns)
    near = nearest(starts, indices, values.astype(np.float64), 5)[0]
    order = grouped_order(near, ITEMS)
    assert sorted(order.tolist()) == columns.tolist()
    weights, pairs, left = solve_columns(reader, ridges, columns[order], near[order])
    for place, column in enumerate(order.tolist()):
        items = near[column][near[column] != NO_ITEM]
        system = matrix[np.ix_(items, items)] + np.diag(ridges[items])
        expected = np.linalg.solve(system, matrix[items, column])
        np.testing.assert_allclose(weights[place, : len(items)], expected, rtol=1e-4, atol=1e-6)
        assert not weights[place, len(items) :].any()
        np.testing.assert_array_equal(pairs[place, : len(items)], matrix[items, column].astype(np.float32))
        over = matrix[column, column] + ridges[column] - matrix[items, column] @ expected
        assert left[place] == pytest.approx(over, rel=1e-4)
        alone = solve_columns(reader, ridges, columns[[column]], near[[column]])
        np.testing.assert_array_equal(alone[0][0], weights[place])


def test_a_single_neighbour_is_company_enough():
    """Rows of one place are put in order as well."""
    assert sorted(grouped_order(np.array([[2], [NO_ITEM], [0]], np.int32), 3).tolist()) == [0, 1, 2]
