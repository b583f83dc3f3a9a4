"""Plain EASE, the reference that ours is compared with."""

import numpy as np
import pytest
import scipy.sparse

from assent.bench.ease import ease_weights, invert
from assent.terms.errors import InvalidInput, NotEnoughMemory


@pytest.mark.parametrize("size", [1, 7, 512, 700])
def test_the_reference_inverse_is_the_inverse(size):
    """Blocks and tiles, whole and cut off, give what the plain inverse gives; progress ends at one."""
    root = np.random.default_rng(size).standard_normal((size, size)).astype(np.float32)
    matrix = root @ root.T / size + np.eye(size, dtype=np.float32)
    wanted = np.linalg.inv(matrix.astype(np.float64))
    result = []
    invert(matrix, result.append)
    assert np.allclose(matrix, wanted, atol=1e-4)
    assert result[-1] == 1.0


def test_the_reference_weights_are_those_of_the_paper(monkeypatch):
    """B = I - P diag(1 / diag P), with an empty diagonal, however many tiles it takes."""
    monkeypatch.setattr("assent.bench.ease._TILE", 12)
    monkeypatch.setattr("assent.bench.ease._BLOCK", 6)
    training = scipy.sparse.random(50, 30, 0.2, "csr", np.float32, np.random.default_rng(1))
    training.data[:] = 1
    inverse = np.linalg.inv((training.T @ training).toarray().astype(np.float64) + 3 * np.eye(30))
    wanted = np.eye(30) - inverse / np.diag(inverse)
    assert np.allclose(ease_weights(training, 3.0, 1 << 40), wanted, atol=1e-5)


def test_the_reference_refuses_what_does_not_fit_and_what_has_no_solution():
    """Refused before anything is allocated, with the figures; and a ridge that is none."""
    training = scipy.sparse.csr_matrix(([1], ([0], [0])), (1, 100_000), np.int32)
    with pytest.raises(NotEnoughMemory, match=r"44\.3 GB"):
        ease_weights(training, 1.0, 20_000_000_000)
    with pytest.raises(InvalidInput):
        ease_weights(training, 0.0, 1 << 60)
