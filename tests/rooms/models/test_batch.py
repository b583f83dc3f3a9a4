import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import assent.models.recommender.batch as batch_module
import assent.models.recommender.scores as scoring_module
from assent.models.recommender import Recommender
from assent.models.recommender.batch import best_of
from assent.terms.errors import InvalidInput


@pytest.fixture
def people():
    """Eighty people over 24 items, one of them without any."""
    held = np.random.default_rng(1).random((80, 24)) < 0.25
    held[17] = False
    return scipy.sparse.csr_matrix(held.astype(np.int64))


@pytest.fixture
def model(people):
    return Recommender(ridge=2.0).fit(people)


@pytest.mark.parametrize("count", [1, 5, 24, 30])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_lists_hold_the_best_in_order(people, model, count, exclude_seen, monkeypatch):
    """A list is the best of the scores, ties in the order of the items, nothing held, -1 where nothing is left."""
    for module, name, most in (
        (scoring_module, "_BLOCK_SCORES", 100),
        (batch_module, "_BLOCK_SCORES", 100),
        (batch_module, "_BLOCK_PEOPLE", 1),
    ):
        monkeypatch.setattr(module, name, most)
    ids, scores = model.recommend(people, count, exclude_seen=exclude_seen)
    assert ids.shape == scores.shape == (people.shape[0], count)
    whole = model.score(people)
    for row in range(people.shape[0]):
        held = people[row].indices if exclude_seen else []
        if people[row].nnz == 0:
            expected = []
        else:
            expected = sorted(set(range(24)) - set(held), key=lambda item: (-whole[row, item], item))[:count]
        assert ids[row].tolist() == expected + [-1] * (count - len(expected))
        np.testing.assert_array_equal(scores[row, : len(expected)], whole[row, expected])
        assert np.isneginf(scores[row, len(expected) :]).all()


@pytest.mark.parametrize(("items", "most"), [(24, 10_000), (10_003, 10_003)])
def test_a_list_is_as_long_as_the_catalog_or_ten_thousand(items, most):
    """A count over the limit is refused; up to it a list may be longer than the catalog."""
    one = scipy.sparse.csr_matrix(([1, 1], ([0, 0], [0, items - 1])), shape=(1, items))
    model = Recommender(form="sparse").fit(one)
    assert model.recommend(one, most)[0].shape == (1, most)
    with pytest.raises(InvalidInput, match=f"1 to {most}"):
        model.recommend(one, most + 1)


def test_ties_come_in_the_order_of_the_items():
    """Equal scores at the end of a list go to the first items."""
    best, scores = best_of(np.array([[1.0, 3.0, 1.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0]]), 3)
    assert best.tolist() == [[1, 4, 0], [0, 1, 2]]
    assert scores.tolist() == [[3.0, 2.0, 1.0], [0.0, 0.0, 0.0]]


@settings(deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(1, 9)), elements=st.sampled_from([-np.inf, 0, 1, 2])),
    st.integers(1, 12),
)
def test_the_best_are_those_of_a_stable_sort(scores, count):
    """However many are level, a list is the head of the whole row sorted by score and then by item."""
    ids, values = best_of(scores, count)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    expected = np.take_along_axis(scores, order, axis=1)
    assert np.array_equal(values, expected)
    assert np.array_equal(ids, np.where(np.isneginf(expected), -1, order))


def test_everybody_is_answered_whatever_the_blocks(people, model, monkeypatch):
    """Answers do not depend on who else is asked for, nor on what is pending when they are asked."""
    ids, _ = model.recommend(people, 3)
    model.forget(people[0])
    model.learn(people[0])
    monkeypatch.setattr(batch_module, "_MOST_BLOCK_SCORES", 24 * 7)
    in_blocks, _ = model.recommend(people, 3)
    assert np.array_equal(in_blocks, ids)
