"""The contract suite of additive models: a test class inherits it and sets `model`, nothing else.

    class TestMine(AdditiveModelContract):
        model = MyModel()

Sums are compared to the last bit, solved models by all of their answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assent.models.additive import AdditiveModel, Facts
from assent.terms.errors import Corrupt, NotLearned
from assent.terms.events import ACTION_BY_CODE
from assent.vault import entries

#: The number of items in the histories of the suite.
ITEMS = 7
#: The facts of the suite: under every name, each item has one of three labels or none.
FACTS = Facts(ITEMS, lambda name: [f"{name} {item % 3}" if item % 4 else "" for item in range(ITEMS)])

History = NDArray[np.void]


@st.composite
def histories(draw: st.DrawFn, least: int = 2) -> list[History]:
    """Draw at least `least` histories (HISTORY dtype), oldest act first, none of them empty."""
    acts = st.tuples(
        st.integers(0, ITEMS - 1), st.integers(0, 400), st.sampled_from(sorted(ACTION_BY_CODE)), st.just(3)
    )
    rows = draw(st.lists(st.lists(acts, min_size=1, max_size=6), min_size=least, max_size=10))
    return [entries(sorted(each, key=lambda act: act[1])) for each in rows]


@st.composite
def parted(draw: st.DrawFn) -> tuple[list[History], list[History]]:
    """Draw people who stay (one at least) and people who leave, in any order."""
    everybody = draw(histories())
    count = draw(st.integers(0, len(everybody) - 1))
    order = draw(st.permutations(everybody))
    return order[count:], order[:count]


#: Several models inherit the same tests, and a solve on a busy machine is slow once in a while.
_CONTRACT = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)


class AdditiveModelContract:
    """The suite; `tolerance` bounds the difference between the answers of two models of the same sum."""

    model: ClassVar[AdditiveModel[Any, Any, Any]]
    tolerance: ClassVar[float] = 1e-5

    def added_by(self, people: Sequence[History]) -> list[Any]:
        """Return the contributions of people, without the people who add nothing."""
        return [each for each in self.model.contributions(people, FACTS) if each is not None]

    def total(self, people: Sequence[History], columns: int = ITEMS) -> Any:
        """Return the sum over people."""
        return self.model.sum_of(self.added_by(people), columns)

    def assert_same(self, one: Any, other: Any, people: Sequence[History]) -> None:
        """Assert that two sums are the same to the last bit, and give everyone the same answers, to rounding."""
        assert one.digest() == other.digest()
        assert (one.columns, one.people, one.rows) == (other.columns, other.people, other.rows)
        np.testing.assert_array_equal(one.counts, other.counts)
        assert [one.row_bytes(row) for row in range(one.rows)] == [other.row_bytes(row) for row in range(other.rows)]
        first, second = self.model.solve(one.copy()), self.model.solve(other.copy())
        for history in people:
            answers = second.scores_of(history)
            np.testing.assert_allclose(first.scores_of(history), answers, rtol=0, atol=self.tolerance)

    @_CONTRACT
    @given(parted())
    def test_forgetting_equals_never_knowing(self, people: Any) -> None:
        """A forgotten person leaves the sum of the others, and its solved model."""
        staying, leaving = people
        total = self.total([*staying, *leaving])
        for each in self.added_by(leaving):
            total.remove(each)
        self.assert_same(total, self.total(staying), [*staying, *leaving])

    @_CONTRACT
    @given(parted())
    def test_learning_again_brings_the_same_model_back(self, people: Any) -> None:
        """Removing people and adding them again changes nothing."""
        staying, leaving = people
        total = self.total([*staying, *leaving])
        for each in self.added_by(leaving):
            total.remove(each)
        for each in self.added_by(leaving):
            total.add(each)
        self.assert_same(total, self.total([*leaving, *staying]), staying)

    @_CONTRACT
    @given(histories(), st.randoms(use_true_random=False))
    def test_order_of_arrival_leaves_no_trace(self, people: Any, chance: Any) -> None:
        """People may arrive in any order, together or one by one."""
        total, shuffled = self.model.zero(ITEMS), [*people]
        chance.shuffle(shuffled)
        for each in self.added_by(shuffled):
            total.add(each)
        self.assert_same(total, self.total(people), people)

    @_CONTRACT
    @given(parted())
    def test_shards_add_up_to_the_whole(self, people: Any) -> None:
        """Sums made apart and merged are the sum made at once."""
        staying, leaving = people
        total = self.total(staying)
        total.merge(self.total(leaving))
        self.assert_same(total, self.total([*staying, *leaving]), staying)

    @_CONTRACT
    @given(histories())
    def test_a_copy_is_independent(self, people: Any) -> None:
        """A change of a copy does not change the sum, nor does settling it."""
        total = self.total(people)
        digest, copied = total.digest(), total.copy()
        for each in self.added_by(people):
            copied.remove(each)
        copied.flush()
        assert total.digest() == digest
        self.assert_same(copied, self.model.zero(ITEMS), people)

    @_CONTRACT
    @given(histories())
    def test_a_stranger_is_refused_and_changes_nothing(self, people: Any) -> None:
        """No person can be removed from an empty sum: not a stranger, and not one person twice."""
        total, added = self.total(people), self.added_by(people)
        for each in added:
            total.remove(each)
        empty = self.model.zero(ITEMS)
        for each in added:
            for nobody in (total, empty):
                with pytest.raises(NotLearned):
                    nobody.remove(each)
        self.assert_same(total, empty, people)

    @_CONTRACT
    @given(histories())
    def test_a_contribution_comes_back_from_its_bytes(self, people: Any) -> None:
        """The stored contribution of each person is exactly what was added, alone or together, and has a JSON form."""
        items = {item: f"item-{item}" for item in range(ITEMS)}
        for history, each in zip(people, self.model.contributions(people, FACTS), strict=True):
            assert each == self.model.contribution(history, FACTS)
            if each is not None:
                assert self.model.read_contribution(each.to_bytes()) == each
                assert self.model.describe(each, items)
        with pytest.raises(Corrupt):
            self.model.read_contribution(b"\xff")

    @_CONTRACT
    @given(histories())
    def test_a_sum_comes_back_from_its_rows(self, people: Any) -> None:
        """All rows together are the sum; and the rows that a person changes bring an older copy up to date."""
        total = self.total(people)
        rows = {row: total.row_bytes(row) for row in range(total.rows)}
        again = self.model.sum_of_rows(total.columns, rows, total.counts, total.people)
        self.assert_same(again, total, people)
        for each in self.added_by(people):
            older = total.copy()
            total.remove(each)
            assert (np.diff(each.rows) > 0).all()
            changed = {int(row): total.row_bytes(int(row)) for row in each.rows}
            older.replace_rows(changed, total.counts, total.people)
            self.assert_same(older, total, people[:1])

    @_CONTRACT
    @given(histories(), st.integers(0, 3))
    def test_a_catalog_may_grow(self, people: Any, more: int) -> None:
        """A sum that grew is the sum of the same people over as many items from the beginning."""
        total = self.total(people)
        total.grow(ITEMS + more)
        self.assert_same(total, self.total(people, ITEMS + more), people)

    @_CONTRACT
    @given(histories())
    def test_parts_add_up_to_the_answers(self, people: Any) -> None:
        """The reasons of an answer add up to the answer."""
        solved = self.model.solve(self.total(people))
        for history in people:
            parts, answers = solved.parts_of(history), solved.scores_of(history)
            np.testing.assert_allclose(parts.sum(axis=0), answers, rtol=0, atol=self.tolerance)

    @_CONTRACT
    @given(histories())
    def test_saved_and_loaded_is_the_same_model(self, people: Any) -> None:
        """A model read back from its file holds the same sum and gives the same answers."""
        solved = self.model.solve(self.total(people))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            solved.save(path)
            again = self.model.load(path)
            self.assert_same(again.sum, solved.sum, people)
            for history in people:
                np.testing.assert_array_equal(again.scores_of(history), solved.scores_of(history))
