import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.products as products_module
from assent.sums.products import add_product, add_rows


def part(random, rows, columns, dtype, *, by_column):
    """Some numbers as a part of a larger array, the entries of a row or of a column side by side."""
    larger = random.normal(size=(rows + 3, columns + 5)).astype(dtype)
    return np.asfortranarray(larger)[1 : rows + 1, 2 : columns + 2] if by_column else larger[2:, 4:][:rows, :columns]


@settings(deadline=None)
@given(
    st.tuples(*[st.integers(0, 9)] * 3),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1.0, -1.0, 0.5]),
    st.sampled_from([None, 1, 60]),
)
def test_a_product_is_added_in_place(sizes, dtype, left_way, right_way, keep, scale, most):
    """For all sizes, layouts and types the part has the values of the formula, and nothing around it changes."""
    rows, inner, columns = sizes
    random = np.random.default_rng(1)
    left = part(random, rows, inner, dtype, by_column=left_way)
    right = part(random, inner, columns, dtype, by_column=right_way)
    around = random.normal(size=(rows + 2, columns + 2)).astype(dtype)
    expected = around.astype(np.float64)
    inside = (slice(1, rows + 1), slice(1, columns + 1))
    expected[inside] = keep * expected[inside] + scale * (left.astype(np.float64) @ right.astype(np.float64))
    add_product(around[inside], left, right, scale=scale, keep=keep, operations_max=most)
    np.testing.assert_allclose(around, expected, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_single_row_or_column_is_a_product_too(dtype):
    """Vectors, whose strides say little, are read rightly."""
    out = np.zeros((4, 1), dtype)
    add_product(out, np.ones((4, 3), dtype), np.arange(3, dtype=dtype)[:, None])
    assert out.ravel().tolist() == [3.0] * 4
    out = np.zeros((1, 4), dtype)
    add_product(out, np.arange(3, dtype=dtype)[None], np.ones((3, 4), dtype))
    assert out.ravel().tolist() == [3.0] * 4


@settings(deadline=None)
@given(st.lists(st.integers(0, 8), max_size=6), st.sampled_from(["float32", "float64"]), st.integers(1, 9))
def test_rows_are_added_where_they_are(rows, dtype, alone):
    """Rows of a part of a larger array, each as often as it is named, add up by the formula."""
    random = np.random.default_rng(2)
    matrix = part(random, 9, 7, dtype, by_column=False)
    factors, out = random.normal(size=len(rows)).astype(dtype), random.normal(size=7).astype(dtype)
    expected = out.astype(np.float64) + factors.astype(np.float64) @ matrix[rows].astype(np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products_module, "_ALONE_ENTRIES", alone)
        add_rows(out, factors, matrix, np.array(rows, np.int32))
    np.testing.assert_allclose(out, expected, atol=1e-5 if dtype == "float32" else 1e-13)
