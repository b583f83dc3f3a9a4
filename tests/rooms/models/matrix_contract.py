"""The contract suite of a recommender on a people x items matrix, to inherit: a test class that sets `model`.

    class TestMine(MatrixModelContract):
        model = functools.partial(Recommender, ridge=1.0)

Sums are compared to the last bit, solved models by all of their scores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assent.models.recommender import Recommender
from assent.terms.errors import NotLearned


@st.composite
def crowds(draw: st.DrawFn, *, people_max: int = 12, items_max: int = 9, value_max: int = 4) -> Any:
    """Draw a people x items matrix, CSR int64, of at least two people with items; rows and columns may be empty."""
    people = draw(st.integers(2, people_max))
    items = draw(st.integers(1, items_max))
    cell = st.one_of(st.just(0), st.integers(0, value_max))
    rows = draw(st.lists(st.lists(cell, min_size=items, max_size=items), min_size=people, max_size=people))
    whole = np.array(rows, np.int64)
    whole[:2, 0] = np.maximum(whole[:2, 0], 1)
    return scipy.sparse.csr_matrix(whole)


@st.composite
def parted_crowds(draw: st.DrawFn) -> tuple[Any, NDArray[np.int64], NDArray[np.int64]]:
    """Draw a crowd, the rows that stay (at least one with items), and the rows that leave, in any order."""
    crowd = draw(crowds())
    order = draw(st.permutations(range(crowd.shape[0])))
    leaving = [row for row in order if row != 0][: draw(st.integers(0, crowd.shape[0] - 1))]
    staying = [row for row in range(crowd.shape[0]) if row not in leaving]
    return crowd, np.array(staying, np.int64), np.array(leaving, np.int64)


#: Several models inherit the same tests, and a solve on a busy machine is slow once in a while.
_CONTRACT = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)


class MatrixModelContract:
    """The suite; `tolerance` is how far two solved models of the same sum may be apart, as a share of one."""

    model: ClassVar[Callable[[], Recommender]]
    tolerance: ClassVar[float] = 1e-5

    @classmethod
    def fresh(cls) -> Any:
        """Return a model that has learned nothing."""
        return cls.model()

    def assert_same(self, one: Any, other: Any) -> None:
        """Assert that two models hold the same sum, to the last bit, and give the same scores, to rounding."""
        assert one.digest() == other.digest()
        probe = scipy.sparse.identity(one.solved.columns, format="csr")
        np.testing.assert_allclose(one.score(probe), other.score(probe), rtol=0, atol=self.tolerance)

    @_CONTRACT
    @given(parted_crowds())
    def test_forgetting_equals_never_knowing(self, parted: Any) -> None:
        """A forgotten person leaves the model that a fit without them gives."""
        crowd, staying, leaving = parted
        model = self.fresh().fit(crowd).forget(crowd[leaving])
        self.assert_same(model, self.fresh().fit(crowd[staying]))

    @_CONTRACT
    @given(parted_crowds())
    def test_learning_again_brings_the_same_model_back(self, parted: Any) -> None:
        """Forgetting and learning the same people is as if nothing happened."""
        crowd, _, leaving = parted
        model = self.fresh().fit(crowd).forget(crowd[leaving]).learn(crowd[leaving])
        self.assert_same(model, self.fresh().fit(crowd))

    @_CONTRACT
    @given(crowds(), st.randoms(use_true_random=False), st.integers(1, 11))
    def test_order_of_arrival_leaves_no_trace(self, crowd: Any, chance: Any, first: int) -> None:
        """People may arrive in any order, together or one by one."""
        order = list(range(crowd.shape[0]))
        chance.shuffle(order)
        # The first fit needs somebody with items.
        order = [0, *(row for row in order if row != 0)]
        model = self.fresh().fit(crowd[order[:first]])
        for row in order[first:]:
            model.learn(crowd[row])
        self.assert_same(model, self.fresh().fit(crowd))

    @_CONTRACT
    @given(parted_crowds())
    def test_shards_add_up_to_the_whole(self, parted: Any) -> None:
        """Sums made apart and merged are the sum made at once, and solve to the same model."""
        crowd, staying, leaving = parted
        # The second row has items as well: each shard can be fitted.
        left = np.array([row for row in staying if row != 1], np.int64)
        right = np.array([1, *(row for row in leaving if row != 1)], np.int64)
        total = self.fresh().fit(crowd[left]).solved.sum.copy()
        total.merge(self.fresh().fit(crowd[right]).solved.sum)
        model = type(self.fresh()).of_sum(total, self.fresh().settings)
        self.assert_same(model, self.fresh().fit(crowd))

    @_CONTRACT
    @given(crowds())
    def test_parts_add_up_to_the_score(self, crowd: Any) -> None:
        """The reasons of a score add up to it, and only the person's own items are reasons."""
        model = self.fresh().fit(crowd)
        scores = model.score(crowd)
        for row in range(crowd.shape[0]):
            for item in range(crowd.shape[1]):
                told = model.explain(crowd[row], item)
                assert {each for each, _ in told} == set(crowd[row].indices.tolist()) - {item}
                assert sum(part for _, part in told) == pytest.approx(float(scores[row, item]), abs=self.tolerance)

    @_CONTRACT
    @given(crowds())
    def test_a_stranger_is_refused_and_changes_nothing(self, crowd: Any) -> None:
        """Somebody who holds what nobody holds cannot be forgotten, and neither can anybody twice."""
        wider = scipy.sparse.hstack([crowd, scipy.sparse.csr_matrix((crowd.shape[0], 1), dtype=np.int64)], format="csr")
        model = self.fresh().fit(wider)
        digest, scores = model.digest(), model.score(wider)
        stranger = scipy.sparse.csr_matrix(([1, 1], ([0, 0], [0, crowd.shape[1]])), shape=(1, wider.shape[1]))
        for company in (stranger, scipy.sparse.vstack([wider, stranger], format="csr")):
            with pytest.raises(NotLearned):
                model.forget(company)
        model.forget(wider)
        with pytest.raises(NotLearned):
            model.forget(wider)
        model.learn(wider)
        assert model.digest() == digest
        np.testing.assert_allclose(model.score(wider), scores, rtol=0, atol=self.tolerance)

    @_CONTRACT
    @given(parted_crowds())
    def test_saved_and_loaded_is_the_same_model(self, parted: Any) -> None:
        """A model read back from its file answers, learns and forgets like the one that was written."""
        crowd, staying, leaving = parted
        model = self.fresh().fit(crowd)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            model.save(path)
            again = type(model).load(path)
            self.assert_same(again, model)
            again.forget(crowd[leaving])
            self.assert_same(again, self.fresh().fit(crowd[staying]))
            self.assert_same(type(model).load(path), model)
