import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assent.sums.inverse as inverse_module
from assent.sums import invert_in_place
from assent.terms.errors import Corrupt


def definite(size, seed, dtype):
    random = np.random.default_rng(seed)
    root = random.normal(size=(size, size + 3))
    return (root @ root.T / size + np.eye(size)).astype(dtype)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 70), st.integers(1, 40), st.sampled_from(["float32", "float64"]), st.integers(0, 9))
def test_the_inverse_is_the_inverse(size, block, dtype, seed):
    """Whatever the size and the blocks, the product with the matrix is the identity, and the result is symmetric."""
    matrix = definite(size, seed, dtype)
    inverse = matrix.copy()
    invert_in_place(inverse, block_rows=block)
    assert np.array_equal(inverse, inverse.T)
    tolerance = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(inverse.astype(np.float64) @ matrix.astype(np.float64), np.eye(size), atol=tolerance)


def test_tiles_do_not_change_the_inverse(monkeypatch):
    """Bands, panels and tiles smaller than the matrix give what one of each gives."""
    matrix = definite(50, 1, "float64")
    whole = matrix.copy()
    invert_in_place(whole)
    monkeypatch.setattr(inverse_module, "TILE_ROWS", 7)
    monkeypatch.setattr(inverse_module, "BAND_ROWS", 5)
    monkeypatch.setattr(inverse_module, "PANEL_COLUMNS", 11)
    tiled = matrix.copy()
    invert_in_place(tiled, block_rows=13)
    np.testing.assert_allclose(tiled, whole, atol=1e-12)


def test_only_the_upper_triangle_is_read():
    """Entries below the diagonal are not read."""
    matrix = definite(20, 2, "float64")
    clean, littered = matrix.copy(), np.triu(matrix) + np.tril(np.full((20, 20), 1e9), -1)
    invert_in_place(clean, block_rows=6)
    invert_in_place(littered, block_rows=6)
    assert np.array_equal(clean, littered)


def test_progress_is_told_to_the_end():
    """Progress grows up to one."""
    heard = []
    invert_in_place(definite(20, 3, "float32"), block_rows=6, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert heard == sorted(set(heard))
    assert len(heard) > 4


def test_an_indefinite_matrix_is_refused():
    """A matrix with a negative direction has no inverse here, wherever it shows."""
    for place in (0, 15):
        matrix = definite(16, 4, "float64")
        matrix[place, place] = -1.0
        with pytest.raises(Corrupt):
            invert_in_place(matrix, block_rows=5)


def test_what_is_not_a_number_is_refused():
    """A matrix with a NaN on its diagonal is not taken for a definite one."""
    for place in (0, 15):
        matrix = definite(16, 4, "float32")
        matrix[place, place] = np.nan
        with pytest.raises(Corrupt):
            invert_in_place(matrix, block_rows=5)


def test_nothing_to_invert_is_fine():
    """The inverse of nothing is nothing."""
    invert_in_place(np.empty((0, 0), np.float32))
