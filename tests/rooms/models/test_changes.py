"""A form that follows changes step by step equals a form newly made of the same sum."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from assent.models.recommender import Recommender, RecommenderSettings, contribution
from assent.models.recommender.dense.form import solve_dense
from assent.sums import PairSum

#: So few people are popular already that octaves are crossed all the time.
ROWS = st.sets(st.integers(0, 7), min_size=1, max_size=5)


class Following(RuleBasedStateMachine):
    """A model that people join and leave, that grows and takes over rows, asked now and then in between."""

    @initialize(
        crowd=st.lists(ROWS, min_size=8, max_size=24),
        share=st.sampled_from([0.0, 0.4, 1.0]),
        exponent=st.sampled_from([0.0, 0.125, 0.5]),
        dtype=st.sampled_from(["float32", "float64"]),
    )
    def begin(self, crowd, share, exponent, dtype):
        self.settings = RecommenderSettings(ridge=2.0, popularity_exponent=exponent, neighbour_share=share, dtype=dtype)
        self.columns = 60
        self.inside = [contribution(np.array(sorted(row))) for row in crowd]
        self.model = Recommender.of_sum(PairSum.of(self.inside, self.columns), **self.arguments())

    def arguments(self):
        names = ("ridge", "popularity_exponent", "neighbour_share", "dtype")
        return {name: getattr(self.settings, name) for name in names}

    def fresh(self):
        return PairSum.of(self.inside, self.columns)

    @rule(row=ROWS, far=st.booleans())
    def arrive(self, row, far):
        items = np.array(sorted({*row, self.columns - 1} if far else row))
        self.inside.append(contribution(items, np.arange(1, len(items) + 1)))
        self.model.solved.add(self.inside[-1])

    @precondition(lambda self: self.inside)
    @rule(place=st.integers(0, 99))
    def leave(self, place):
        self.model.solved.remove(self.inside.pop(place % len(self.inside)))

    @precondition(lambda self: len(self.inside) > 1)
    @rule(row=ROWS)
    def follow_rows(self, row):
        self.inside = [*self.inside[1:], contribution(np.array(sorted(row)))]
        fresh, old = self.fresh(), self.model.solved.sum
        rows = {i: fresh.row_bytes(i) for i in range(self.columns) if fresh.row_bytes(i) != old.row_bytes(i)}
        assert self.model.solved.replace_rows(rows, fresh.counts, fresh.people, solve=False)

    @precondition(lambda self: self.columns < 64)
    @rule()
    def grow(self):
        self.columns += 1
        self.model.solved.grow(self.columns)

    @rule()
    def fold(self):
        self.model.solved._form.inverse.fold()

    @rule(row=ROWS)
    def ask(self, row):
        items = np.array(sorted(row))
        self.model.solved.score_one(items)
        self.model.solved.parts(items, None, np.array([3, 1]))

    @invariant()
    def it_is_a_form_made_of_the_sum(self):
        form, fresh = self.model.solved._form, solve_dense(self.fresh(), self.settings, None)
        assert np.array_equal(form.ridges, fresh.ridges)
        assert np.array_equal(form._blend.scales, fresh._blend.scales)
        if self.settings.neighbour_share:
            assert form.neighbours.mass == fresh.neighbours.mass
            assert np.array_equal(form.neighbours.left, fresh.neighbours.left)
            assert np.array_equal(form.neighbours.right, fresh.neighbours.right)
        near = 1e-4 if self.settings.dtype == "float32" else 1e-11
        np.testing.assert_allclose(form.inverse.diagonal, fresh.inverse.diagonal, rtol=near)
        np.testing.assert_allclose(form._blend.over, fresh._blend.over, rtol=near)
        items, weights = np.array([0, 2, 5, 41], np.int32), np.array([1.0, 0.5, 2.0, 1.0])
        targets = np.array([5, 1, 59], np.int32)
        whole = weights @ fresh._blend.rows(items)
        for each in (form, fresh):
            # The first asks the inverse and the sum, the second makes rows, the third reads them.
            for _ in range(3):
                np.testing.assert_allclose(each._blend.times(items, weights), whole, atol=near)
                np.testing.assert_allclose(each.score_one(items, weights), whole, atol=max(near, 1e-6))
                parts = each.parts(items, weights, targets)
                np.testing.assert_allclose(parts.sum(axis=0), whole[targets], atol=near)
            each._weights.drop()

    @invariant()
    def the_sum_is_a_fresh_one(self):
        fresh = self.fresh()
        assert self.model.digest() == fresh.digest()
        for item in (0, 1, 4, 7, self.columns - 1):
            assert np.array_equal(self.model.solved.sum.column(item), fresh.column(item))


Following.TestCase.settings = settings(deadline=None, max_examples=20, stateful_step_count=15)
TestFollowing = Following.TestCase


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_one_person_asked_for_again_gets_the_same(share):
    """Answers that read the inverse, make rows, and read them are alike, and nobody's own item counts for itself."""
    people = scipy.sparse.csr_matrix(np.random.default_rng(4).random((60, 40)) < 0.2).astype(np.int64)
    model = Recommender(ridge=2.0, neighbour_share=share).fit(people)
    alone, items, targets = np.array([7]), np.array([1, 7, 30]), np.array([7, 2])
    parts = model.solved.parts(items, None, targets)
    model.solved._form._weights.drop()
    scores = model.solved.score_one(items)
    assert parts[1, 0] == model.solved.score_one(alone)[7] == 0
    for _ in range(3):
        np.testing.assert_allclose(model.solved.score_one(items), scores, atol=1e-6)
        np.testing.assert_allclose(model.solved.parts(items, None, targets), parts, atol=1e-6)
    assert model.solved.parts(alone, None, alone)[0, 0] == model.solved.score_one(alone)[7] == 0
