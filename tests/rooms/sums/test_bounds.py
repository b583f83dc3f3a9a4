"""The ends of the ranges: the least weight there is, and the last whole number that an entry may be."""

import numpy as np
import pytest
import scipy.sparse

from assent.sums import UNIT, VALUE_MAX, PairSum, weights_of
from assent.sums.build import ENTRY_MAX
from assent.terms.errors import SumOverflow


def test_however_much_somebody_holds_they_weigh_a_step():
    """A weight is never rounded down to nothing, and a row without items is given one that weighs nothing."""
    held = np.array([5_000.0 * VALUE_MAX**2, 0.0])
    weights = weights_of(held, np.array([5_000.0 * VALUE_MAX**4, 0.0]), np.array([VALUE_MAX, 1.0]), 1.0)
    assert weights.tolist() == [1, UNIT]


@pytest.mark.parametrize("more", [0, 1])
def test_one_step_past_the_range_is_seen(more):
    """In the range where floats are hundreds of steps apart, a sum that ends on the limit or past it is refused."""
    two = scipy.sparse.csr_matrix(np.ones((2, 1), np.int64))
    with pytest.raises(SumOverflow):
        PairSum.from_matrix(two, np.array([ENTRY_MAX, more]))
    assert PairSum.from_matrix(two, np.array([ENTRY_MAX // 2, 1])).diagonal().tolist() == [ENTRY_MAX // 2 + 1]


def test_overflow_is_told_by_weights_and_values_together():
    """Heavy people with small values and light people with large ones are not mistaken for heavy ones with large."""
    values = scipy.sparse.csr_matrix(np.array([[1, 0], [0, 1 << 25]], np.int64))
    total = PairSum.from_matrix(values, np.array([1 << 40, 1 << 10]))
    assert total.diagonal().tolist() == [1 << 40, 1 << 60]
    with pytest.raises(SumOverflow):
        PairSum.from_matrix(values, np.array([1, 1 << 12]))
