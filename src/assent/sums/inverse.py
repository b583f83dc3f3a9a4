"""The inverse of a symmetric positive definite matrix, in place, in blocks, at the speed of matrix products.

The symmetric sweep of a block `K` turns `A` into

    A_KK <- -inv(A_KK)      A_KR <- inv(A_KK) A_KR      A_RR <- A_RR - A_RK inv(A_KK) A_KR

and sweeping every block once leaves `-inv(A)` (block form of the sweep operator: Goodnight 1979, "A tutorial on the
SWEEP operator"). Only the upper triangle is carried along, which halves the work; diagonal blocks are inverted in
float64 whatever the type of `A`. No LAPACK routine sees more than one block, so matrices too large for 32-bit LAPACK
integers pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import Corrupt

Real = TypeVar("Real", np.float32, np.float64)

#: Rows swept at once, at most: enough for fast products, few enough for the blocks' own work not to show.
BLOCK_ROWS_MAX: Final = 256
#: Two panels of this share of the rows are the extra memory of a large inverse: a sixteenth.
BLOCK_SHARE: Final = 32
_BLOCK_ROWS_MIN: Final = 64
#: The side of one tile of the update: its product stays in the processor's cache until it is subtracted.
TILE_ROWS: Final = 512
TILE_COLUMNS: Final = 1536


def invert_in_place(
    matrix: NDArray[Real], *, block_rows: int | None = None, progress: Callable[[float], None] | None = None
) -> None:
    """Replace a symmetric positive definite matrix, float32 or float64 [n, n], by its inverse.

    Only the upper triangle (with the diagonal) is read; the whole inverse is written, exactly symmetric. Extra memory:
    two panels of `block_rows` x n (a good number of rows unless told) and one tile. `progress` hears the share done,
    0 to 1. Raises `Corrupt` when the matrix is not positive definite; its content is lost then.
    """
    size = len(matrix)
    if block_rows is None:
        block_rows = min(max(size // BLOCK_SHARE, _BLOCK_ROWS_MIN), BLOCK_ROWS_MAX)
    panel = np.empty((min(block_rows, size), size), matrix.dtype)
    swept = np.empty_like(panel)
    tile = np.empty(TILE_ROWS * TILE_COLUMNS, matrix.dtype)
    for first in range(0, size, block_rows):
        last = min(first + block_rows, size)
        _sweep(matrix, first, last, panel[: last - first], swept[: last - first], tile)
        if progress is not None:
            progress(last / size)
    _finish(matrix)


def _sweep(
    matrix: NDArray[Real],
    first: int,
    last: int,
    panel: NDArray[Real],
    swept: NDArray[Real],
    tile: NDArray[Real],
) -> None:
    """Sweep rows `first` to `last`; `panel`, `swept` and `tile` are scratch."""
    size = len(matrix)
    pivot = _invert_block(matrix[first:last, first:last])
    panel[:, :first] = matrix[:first, first:last].T
    panel[:, first:last] = 0
    panel[:, last:] = matrix[first:last, last:]
    np.matmul(pivot.astype(matrix.dtype), panel, out=swept)
    for top in range(0, size, TILE_ROWS):
        bottom = min(top + TILE_ROWS, size)
        left_factor = panel[:, top:bottom].T
        for left in range(top, size, TILE_COLUMNS):
            right = min(left + TILE_COLUMNS, size)
            product = tile[: (bottom - top) * (right - left)].reshape(bottom - top, right - left)
            np.matmul(left_factor, swept[:, left:right], out=product)
            np.subtract(matrix[top:bottom, left:right], product, out=matrix[top:bottom, left:right])
    matrix[:first, first:last] = swept[:, :first].T
    matrix[first:last, first:last] = -pivot
    matrix[first:last, last:] = swept[:, last:]


def _invert_block(block: NDArray[Real]) -> NDArray[np.float64]:
    """Invert one diagonal block in float64, given its upper triangle; the sign says whether the matrix is definite."""
    whole = np.triu(block).astype(np.float64)
    whole += np.triu(whole, 1).T
    try:
        lower = np.linalg.cholesky(whole)
    except np.linalg.LinAlgError as error:
        message = "The matrix to invert is not positive definite."
        raise Corrupt(message, advice="Rebuild the model from its sum.") from error
    root = np.linalg.inv(lower)
    inverse: NDArray[np.float64] = root.T @ root
    return inverse


def _finish(matrix: NDArray[Real]) -> None:
    """Turn the swept upper triangle into the whole inverse: change the sign and mirror it."""
    size = len(matrix)
    for top in range(0, size, TILE_ROWS):
        bottom = min(top + TILE_ROWS, size)
        corner = -np.triu(matrix[top:bottom, top:bottom])
        matrix[top:bottom, top:bottom] = corner + np.triu(corner, 1).T
        for left in range(bottom, size, TILE_ROWS):
            right = min(left + TILE_ROWS, size)
            np.negative(matrix[top:bottom, left:right], out=matrix[top:bottom, left:right])
            matrix[left:right, top:bottom] = matrix[top:bottom, left:right].T
