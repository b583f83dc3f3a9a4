"""Plain EASE, for comparison: one ridge, one dense inverse in place, nothing else.

Source: H. Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data": `B = I - P diag(1 / diag P)` with
`P = (X'X + ridge I)^-1`. It shares no code with our own model, so that a fault in one is not hidden by the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput, NotEnoughMemory

_BLOCK: Final = 512
#: Rows that are worked on at once beside the one array: whole blocks, so that a diagonal block is never cut.
_TILE: Final = 4 * _BLOCK
#: The array, and a tenth for what is worked on beside it; and what the program itself takes.
_SHARE: Final = 1.1
_PROGRAM_BYTES: Final = 300_000_000


def ease_weights(
    training: Any, ridge: float, memory_bytes: int, progress: Callable[[float], None] | None = None
) -> NDArray[np.float32]:
    """Return the weights of plain EASE, float32 [items, items]: `training` scipy.sparse [people, items] of ones.

    Refuses with `NotEnoughMemory`, before it allocates, what does not fit into `memory_bytes`; `InvalidInput` for a
    ridge that is not above zero.
    """
    if not ridge > 0:
        raise InvalidInput("The ridge of EASE is a number above zero.")
    columns = training.shape[1]
    needed = int(columns * columns * 4 * _SHARE) + _PROGRAM_BYTES
    if needed > memory_bytes:
        takes, free = f"{needed / 1e9:.1f} GB", f"{memory_bytes / 1e9:.1f} GB"
        raise NotEnoughMemory(
            f"Plain EASE over {columns:,} items takes {takes}; {free} are free.",
            advice="Leave it out with --peers, or use a machine with more memory.",
        )
    matrix = _gram(training.astype(np.float32))
    matrix[np.diag_indices(columns)] += np.float32(ridge)
    invert(matrix, progress)
    scale = -1.0 / matrix.diagonal()
    for start in range(0, columns, _TILE):
        matrix[start : start + _TILE] *= scale
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _gram(training: Any) -> NDArray[np.float32]:
    gram = np.empty((training.shape[1], training.shape[1]), np.float32)
    turned = training.T.tocsr()
    for start in range(0, len(gram), _TILE):
        (turned[start : start + _TILE] @ training).toarray(out=gram[start : start + _TILE])
    return gram


def invert(matrix: NDArray[np.float32], progress: Callable[[float], None] | None = None) -> None:
    """Invert a symmetric positive definite float32 [n, n] in place, block by block, pivots in float64.

    A sweep of every diagonal block (Goodnight 1979) leaves minus the inverse; only what lies below the diagonal is
    worked on, and mirrored at the end.
    """
    size = len(matrix)
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        column = np.concatenate((matrix[start:stop, :start].T, matrix[start:, start:stop]))
        pivot = np.linalg.inv(column[start:stop].astype(np.float64))
        swept = (column @ pivot.astype(np.float32)).T.copy()
        column[start:stop] = 0.0
        for top in range(0, size, _TILE):
            bottom = min(top + _TILE, size)
            matrix[top:bottom, :bottom] -= column[top:bottom] @ swept[:, :bottom]
        matrix[start:stop, :start] = swept[:, :start]
        matrix[stop:, start:stop] = swept[:, stop:].T
        matrix[start:stop, start:stop] = -pivot
        if progress is not None:
            progress(stop / size)
    for top in range(0, size, _TILE):
        bottom = min(top + _TILE, size)
        rows = matrix[top:bottom, :bottom]
        np.negative(rows, out=rows)
        matrix[:top, top:bottom] = rows[:, :top].T
        own = rows[:, top:]
        own[:] = np.tril(own) + np.tril(own, -1).T
