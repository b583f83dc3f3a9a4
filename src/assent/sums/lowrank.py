"""An inverse that follows its matrix through small changes: a dense part, and rank-one terms not yet folded into it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.sums.products import add_product
from assent.terms.errors import Corrupt

Reals = NDArray[Any]

#: How many rank-one terms wait before they are folded in: enough to share the cost of one pass over the dense part,
#: few enough to cost an answer less than the rows of its items do.
PENDING_MAX: Final = 128
#: The same for an array that is shared and must not be written to: folding would make a second one.
PENDING_SHARED_MAX: Final = 256
#: One tile of the fold: it stays in the processor's cache until its other half is written.
_TILE_ROWS: Final = 256
_TILE_COLUMNS: Final = 1024
#: How far rounding may push a denominator under its bound.
_SLACK: Final = {"float32": 1e-3, "float64": 1e-9}


class LowRankInverse:
    """`Q = Q0 - sum_k c_k v_k v_k'`: the inverse of a symmetric positive definite matrix `A`, kept up to date.

    `A + s u u'` has the inverse `Q - s / (1 + s u'Qu) (Qu)(Qu)'` (Sherman and Morrison 1950): one vector to remember,
    O(n) per item of `u`, seen by the very next answer. A change that takes something away can only go wrong when it
    was never there; each denominator is held against the bound that the rest of the matrix guarantees.
    """

    def __init__(self, dense: Reals, *, pending_max: int | None = None) -> None:
        """Take over `dense`, the exactly symmetric inverse, float32 or float64 [n, n].

        It will be written to; one that is read-only (the map of a file) is replaced by a copy when changes are folded.
        """
        if pending_max is None:
            pending_max = PENDING_MAX if dense.flags.writeable else PENDING_SHARED_MAX
        self.dense = dense
        self.diagonal: NDArray[np.float64] = np.diagonal(dense).astype(np.float64)
        #: How many rank-one terms came in since the inverse was last computed from the matrix itself.
        self.terms = 0
        self.pending = 0
        self._vectors = np.zeros((pending_max, len(dense)), dense.dtype)
        self._factors = np.zeros(pending_max, dense.dtype)

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.dense)

    def copy(self) -> LowRankInverse:
        """Return an independent inverse: a second n x n array, unless the first is read-only and can be shared."""
        dense = self.dense.copy() if self.dense.flags.writeable else self.dense
        twin = LowRankInverse(dense, pending_max=len(self._factors))
        twin.diagonal, twin.terms, twin.pending = self.diagonal.copy(), self.terms, self.pending
        twin._vectors[:], twin._factors[:] = self._vectors, self._factors
        return twin

    def times(self, items: NDArray[np.int32], values: Reals) -> Reals:
        """Return `Q u` for a sparse `u` (items int32 [k], values [k]), in the type of `Q`, [n]; touches k rows."""
        weights = np.asarray(values, self.dense.dtype)
        result: Reals = weights @ self.dense[items]
        if self.pending:
            vectors = self._vectors[: self.pending]
            inner = (vectors[:, items] @ weights) * self._factors[: self.pending]
            result -= inner @ vectors
        return result

    def rows(self, items: NDArray[np.int32]) -> Reals:
        """Return whole rows of `Q`, [k, n]."""
        result: Reals = self.dense[items]
        if self.pending:
            vectors = self._vectors[: self.pending]
            result -= (vectors[:, items].T * self._factors[: self.pending]) @ vectors
        return result

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> Reals:
        """Return the entries of `Q` at `items` x `targets`, [k, t]."""
        result: Reals = self.dense[np.ix_(items, targets)]
        if self.pending:
            vectors = self._vectors[: self.pending]
            result -= (vectors[:, items].T * self._factors[: self.pending]) @ vectors[:, targets]
        return result

    def whole(self) -> Reals:
        """Fold what is pending and return `Q` itself, [n, n]; do not write to it."""
        self.fold()
        return self.dense

    def update(self, items: NDArray[np.int32], values: Reals, scale: float, spare: float = 0.0) -> None:
        """Follow `A <- A + scale u u'` for a sparse `u`.

        `spare` is `u' R^-1 u` for a diagonal `R` that `A` exceeds before and after the change; while it does,
        `1 + scale u'Qu >= 1 / (1 + |scale| spare)` when something is taken away. Raises `Corrupt`, and changes
        nothing, when that does not hold: the inverse is damaged, or what is taken away was never there.
        """
        image = self.times(items, values)
        inner = float(np.asarray(values, np.float64) @ image[items].astype(np.float64))
        denominator = 1.0 + scale * inner
        bound = 1.0 if scale >= 0 else 1.0 / (1.0 - scale * spare)
        if not denominator >= bound - _SLACK[self.dense.dtype.name] * min(1.0, 10 * bound):
            message = "The inverse does not fit what is taken from its matrix."
            raise Corrupt(message, advice="Rebuild the model from its sum.")
        if self.pending == len(self._factors):
            self.fold()
        factor = scale / denominator
        self._vectors[self.pending] = image
        self._factors[self.pending] = factor
        self.pending += 1
        self.terms += 1
        self.diagonal -= factor * np.square(image, dtype=np.float64)

    def fold(self) -> None:
        """Subtract all pending terms from the dense part: one pass over it, half of the products, both halves written.

        Takes a private copy of a read-only dense part first.
        """
        if not self.pending:
            return
        if not self.dense.flags.writeable:
            self.dense = self.dense.copy()
        vectors = self._vectors[: self.pending]
        scaled = vectors * self._factors[: self.pending, None]
        for top in range(0, self.size, _TILE_ROWS):
            rows = slice(top, min(top + _TILE_ROWS, self.size))
            for left in range(top, self.size, _TILE_COLUMNS):
                columns = slice(left, left + _TILE_COLUMNS)
                tile = self.dense[rows, columns]
                add_product(tile, scaled[:, rows].T, vectors[:, columns], scale=-1.0)
                if left == top:
                    # Rounding must not make the two halves of a corner differ.
                    corner = tile[:, : len(tile)]
                    corner[:] = np.triu(corner) + np.triu(corner, 1).T
                    tile, columns = tile[:, len(tile) :], slice(rows.stop, left + _TILE_COLUMNS)
                self.dense[columns, rows] = tile.T
        self.pending = 0
        self.diagonal = np.diagonal(self.dense).astype(np.float64)

    def grow(self, diagonal: NDArray[np.float64]) -> None:
        """Append rows whose matrix part is diagonal: `diagonal` float64 [m] holds their entries of `A`, above zero."""
        old, new = self.size, self.size + len(diagonal)
        self.fold()
        wider = np.zeros((new, new), self.dense.dtype)
        wider[:old, :old] = self.dense
        wider[np.arange(old, new), np.arange(old, new)] = 1.0 / diagonal
        self.dense = wider
        self.diagonal = np.diagonal(wider).astype(np.float64)
        self._vectors = np.zeros((len(self._factors), new), wider.dtype)

    def residual(self, item: int, column: NDArray[np.float64]) -> float:
        """Return the largest entry of `|Q a - e_item|`, where `a` is column `item` of `A`, float64 [n]."""
        weights = column.astype(self.dense.dtype)
        probe = (self.dense @ weights).astype(np.float64)
        if self.pending:
            vectors = self._vectors[: self.pending]
            probe -= ((vectors @ weights) * self._factors[: self.pending]) @ vectors
        probe[item] -= 1.0
        return float(np.abs(probe).max())
