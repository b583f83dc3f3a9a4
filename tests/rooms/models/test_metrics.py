"""Recall@k and NDCG@k by the BARS protocol: by hand, by brute force, and with whatever cannot be judged refused."""

import math

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from assent.models.metrics import ndcgs, recall_and_ndcg, recalls, relevance_of
from assent.terms.errors import InvalidInput


def wanted_of(*rows, items=10):
    matrix = scipy.sparse.lil_matrix((len(rows), items))
    for row, columns in enumerate(rows):
        matrix[row, list(columns)] = 1
    return matrix.tocsr()


def test_figures_worked_out_by_hand():
    """Two people: one hit of two wanted at place 2 of 3, and two relevant of two wanted at places 1 and 3."""
    recall, ndcg = recall_and_ndcg(np.array([[5, 1, 6], [2, 9, 3]]), wanted_of({1, 4}, {2, 3}))
    ideal = 1 + 1 / math.log2(3)
    assert recall == pytest.approx((1 / 2 + 1) / 2)
    assert ndcg == pytest.approx((1 / math.log2(3) / ideal + (1 + 1 / 2) / ideal) / 2)


def test_recall_divides_by_all_that_is_wanted_and_the_ideal_by_what_fits():
    """A list of two cannot reach a recall of one for five wanted items, but it can be ideal."""
    assert recall_and_ndcg(np.array([[0, 1]]), wanted_of({0, 1, 2, 3, 4})) == pytest.approx((2 / 5, 1.0))


def test_what_no_list_can_name_counts_as_wanted():
    """Items outside the catalog are part of `sizes`, so they lower both figures."""
    recall, ndcg = recall_and_ndcg(np.array([[0, 1, 2]]), wanted_of({0}), np.array([2]))
    assert recall == 0.5
    assert ndcg == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_empty_places_and_repeats_are_no_hits():
    """-1 fills a place that holds nothing, and the second time an item is named adds nothing."""
    relevant = relevance_of(np.array([[-1, 9, 9, -1]]), wanted_of({9}))
    assert relevant.tolist() == [[False, True, False, False]]
    neighbours = relevance_of(np.array([[3, 3], [-1, 4]]), wanted_of({3}, {3, 9}))
    assert neighbours.tolist() == [[True, False], [False, False]]


@given(
    st.lists(
        st.tuples(st.permutations(range(8)).map(lambda order: order[:5]), st.sets(st.integers(0, 7), min_size=1)),
        min_size=1,
        max_size=6,
    )
)
def test_it_is_what_the_definition_says(people):
    """For any lists both figures equal a plain count over people and places."""
    lists = np.array([ranked for ranked, _ in people])
    told = recall_and_ndcg(lists, wanted_of(*(wanted for _, wanted in people), items=8))
    recall = ndcg = 0.0
    for ranked, wanted in people:
        recall += sum(item in wanted for item in ranked) / len(wanted)
        gain = sum(1 / math.log2(place + 2) for place, item in enumerate(ranked) if item in wanted)
        ndcg += gain / sum(1 / math.log2(place + 2) for place in range(min(5, len(wanted))))
    assert told == pytest.approx((recall / len(people), ndcg / len(people)))


def test_each_person_has_figures_of_their_own():
    """The means are over `recalls` and `ndcgs`, which can be looked at person by person."""
    relevant = np.array([[True, False], [False, False]])
    assert recalls(relevant, np.array([1, 3])).tolist() == [1.0, 0.0]
    assert ndcgs(relevant, np.array([1, 3])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "lists",
    [
        np.array([0, 1]),
        np.array([[0.0, 1.0]]),
        np.empty((1, 0), np.int64),
        np.array([[0], [1]]),
        np.array([[10]]),
        np.array([[-2]]),
    ],
)
def test_lists_that_are_none_are_refused(lists):
    """Wrong shape, wrong dtype, no places, more rows than people, items that do not exist."""
    with pytest.raises(InvalidInput):
        relevance_of(lists, wanted_of({1}))


@pytest.mark.parametrize("sizes", [[0, 1], [1, 1, 1], [1.0, 1.0], [1, 1]])
def test_sizes_that_cannot_be_are_refused(sizes):
    """Wanting nothing, sizes for others, fractions, and less wanted than was hit."""
    with pytest.raises(InvalidInput):
        recalls(np.array([[True, False], [True, True]]), np.array(sizes))


def test_nobody_has_no_mean():
    """Without people there is no figure, and that is said."""
    with pytest.raises(InvalidInput, match="nobody"):
        recall_and_ndcg(np.empty((0, 3), np.int64), wanted_of())
