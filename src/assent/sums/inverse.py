"""The inverse of a symmetric positive definite matrix, in place, by halves, at the speed of matrix products.

With `X = inv(A_11)`, `W = X A_12` and the Schur complement `S = A_22 - A_12' W`, the inverse of `A` has the blocks

    B_22 = inv(S)      B_12 = -W B_22      B_11 = X - B_12 W'

and both inverses are computed in the same way (Banachiewicz 1937; block form: Golub and Van Loan, "Matrix
Computations", 2.1). `W'` is kept in the place below the diagonal, so nothing is copied; sums are formed on and above
the diagonal only. That is `n^3` operations, as few as Cholesky's way takes, nearly all of them in large products.
Diagonal blocks are inverted in float64 for every type of `A`; no LAPACK routine sees more than one block, so
matrices too large for its 32-bit integers pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np
import scipy.linalg.lapack
from numpy.typing import NDArray

from assent.sums.products import add_product
from assent.terms.errors import Corrupt

Real = TypeVar("Real", np.float32, np.float64)
_Advance = Callable[[int], None]

#: The side of the blocks that are inverted at once, in float64.
BLOCK_ROWS: Final = 128
#: Rows of a symmetric product formed at once: enough for its full speed, few enough to form little under the diagonal.
BAND_ROWS: Final = 256
#: Columns of a product formed at once, at most: enough for its full speed, and an interrupt waits for one only.
PANEL_COLUMNS: Final = 4096
#: The side of the tiles that are mirrored: they fit the processor's cache.
TILE_ROWS: Final = 256


def invert_in_place(
    matrix: NDArray[Real], *, block_rows: int = BLOCK_ROWS, progress: Callable[[float], None] | None = None
) -> None:
    """Replace a symmetric positive definite matrix, float32 or float64 [n, n], by its inverse.

    Only the upper triangle (with the diagonal) is read; the whole inverse is written, exactly symmetric. Extra memory:
    a few blocks of `block_rows` x `block_rows`. `progress` gets the share of the work done, 0 to 1. Raises `Corrupt`
    when the matrix is not positive definite; its content is lost then.
    """
    size = len(matrix)
    done = 0

    def advance(work: int) -> None:
        nonlocal done
        done += work
        if progress is not None:
            progress(done / size**3)

    if size:
        _invert(matrix, block_rows, advance)


def _invert(square: NDArray[Real], block_rows: int, advance: _Advance) -> None:
    """Invert a diagonal part in place. `advance` gets the work of each of its six steps; it adds up to `size^3`."""
    size = len(square)
    if size <= block_rows:
        square[:] = _invert_block(square)
        advance(size**3)
        return
    half = size // 2
    head, tail = square[:half, :half], square[half:, half:]
    above, below = square[:half, half:], square[half:, :half]
    _invert(head, block_rows, advance)
    _multiply(1.0, above.T, head, below, advance)
    _subtract(below, above, tail, advance)
    _invert(tail, block_rows, advance)
    _multiply(-1.0, below.T, tail, above, advance)
    _subtract(above, below, head, advance)
    _mirror(square, half)


def _multiply(scale: float, left: NDArray[Real], right: NDArray[Real], out: NDArray[Real], advance: _Advance) -> None:
    """Write `scale * left right` to `out`, which overlaps neither."""
    columns = out.shape[1]
    width = -(-columns // -(-columns // PANEL_COLUMNS))
    for first in range(0, columns, width):
        panel = out[:, first : first + width]
        add_product(panel, left, right[:, first : first + width], scale=scale, keep=False)
        advance(2 * panel.size * len(right))


def _subtract(left: NDArray[Real], right: NDArray[Real], target: NDArray[Real], advance: _Advance) -> None:
    """Subtract `left right`, which is symmetric, from the upper triangle of `target`; the rest of it is lost."""
    size = len(target)
    for top in range(0, size, BAND_ROWS):
        band = target[top : top + BAND_ROWS, top:]
        add_product(band, left[top : top + BAND_ROWS], right[:, top:], scale=-1.0)
        # What is left of the square, before and after this band.
        advance(((size - top) ** 2 - (size - top - len(band)) ** 2) * len(right))


def _mirror(square: NDArray[Real], rows: int) -> None:
    """Copy the upper part of the first `rows` to its place below the diagonal."""
    size = len(square)
    for top in range(0, rows, TILE_ROWS):
        bottom = min(top + TILE_ROWS, rows)
        corner = np.triu(square[top:bottom, top:bottom])
        square[top:bottom, top:bottom] = corner + np.triu(corner, 1).T
        for left in range(bottom, size, TILE_ROWS):
            square[left : left + TILE_ROWS, top:bottom] = square[top:bottom, left : left + TILE_ROWS].T


def _invert_block(block: NDArray[Real]) -> NDArray[np.float64]:
    """Invert one diagonal block in float64, given its upper triangle; the sign says whether the matrix is definite."""
    factor, failed = scipy.linalg.lapack.dpotrf(block.astype(np.float64), lower=False)
    if failed or not (np.diagonal(factor) > 0).all():
        raise Corrupt("The matrix to invert is not positive definite.", advice="Rebuild the model from its sum.")
    inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=False)
    whole: NDArray[np.float64] = np.triu(inverse) + np.triu(inverse, 1).T
    return whole
