"""An inverse that is updated with its matrix: a dense part, and rank-one terms that are not folded into it yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.sums.products import add_product, add_rows
from assent.terms.errors import Corrupt

Reals = NDArray[Any]

#: Rank-one terms that may be pending. Half of them are folded in together, a slice at a time, while the other half
#: comes in: enough of them to share the cost of one pass over the dense part, few enough that they cost an answer less
#: than the rows of its items.
PENDING_TERMS: Final = 192
#: The same for a shared read-only array: folding makes a second one.
PENDING_TERMS_SHARED: Final = 256
#: Terms are folded in slices, so that no change waits for much more than one slice.
_SLICES: Final = 12
#: All slices are done after 1 / `_HASTE` of the terms that may come meanwhile: folded terms cost an answer nothing.
_HASTE: Final = 3
#: One tile of the fold: large enough for several processors, and small enough that the other half of the band is
#: written soon.
_TILE_ROWS: Final = 512
_TILE_COLUMNS: Final = 8192
#: BLAS makes products of up to this many operations on the calling thread.
_ALONE_OPERATIONS: Final = 1 << 18
#: The most that rounding may move a denominator below its bound.
_SLACK: Final = {"float32": 1e-3, "float64": 1e-9}


class Term(NamedTuple):
    """A change `A + scale u u'` for a sparse `u`: `items` int32 [k], its `values` [k]; `spare` as `update` has it."""

    items: NDArray[np.int32]
    values: Reals
    scale: float
    spare: float = 0.0


class LowRankInverse:
    """`Q = Q0 - sum_k c_k v_k v_k'`: the inverse of a symmetric positive definite matrix `A`, kept up to date.

    `A + s u u'` has the inverse `Q - s / (1 + s u'Qu) (Qu)(Qu)'` (Sherman and Morrison 1950): one vector to keep, O(n)
    per item of `u`, and the next answer has it. A removal can fail only when its part was never in the matrix; each
    denominator is compared with the bound that the rest of the matrix guarantees.

    Terms are folded into `Q0` by bands of rows. Once rows `b` and columns `b` of `Q0` contain `c_k v_k v_k'`, the rest
    of the term is that of the same vector with zeros at `b`. So only `v_k` shows a fold in progress, and a reader of
    `Q` needs no other state.
    """

    def __init__(self, dense: Reals, *, pending_terms: int | None = None) -> None:
        """Take over `dense`, the exactly symmetric inverse, float32 or float64 [n, n].

        The array is written to; a read-only one (the map of a file) is replaced by a copy at the first fold.
        """
        if pending_terms is None:
            pending_terms = PENDING_TERMS if dense.flags.writeable else PENDING_TERMS_SHARED
        self.dense = dense
        self.diagonal: NDArray[np.float64] = np.diagonal(dense).astype(np.float64)
        #: Rank-one terms since the inverse was last computed from the matrix itself.
        self.terms = 0
        self.pending = 0
        self._vectors = np.zeros((pending_terms, len(dense)), dense.dtype)
        self._factors = np.zeros(pending_terms, dense.dtype)
        #: The number of first terms that are being folded, and of rows that have them already.
        self._folding = self._folded = 0

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.dense)

    def copy(self) -> LowRankInverse:
        """Return an independent inverse: a second n x n array, unless the first is read-only and can be shared."""
        dense = self.dense.copy() if self.dense.flags.writeable else self.dense
        twin = LowRankInverse(dense, pending_terms=len(self._factors))
        twin.diagonal, twin.terms, twin.pending = self.diagonal.copy(), self.terms, self.pending
        twin._vectors[:], twin._factors[:] = self._vectors, self._factors
        twin._folding, twin._folded = self._folding, self._folded
        return twin

    def times(self, items: NDArray[np.int32], values: Reals, *, own: bool = True) -> Reals:
        """Return `Q u`, [n] in the dtype of `Q`, for a sparse `u` (items int32 [k], values floats [k]); reads k rows.

        Without `own` the diagonal of `Q` counts as zero.
        """
        images, parts = self._images([Term(items, values, 0.0)])
        result: Reals = images[0]
        if not own:
            block = self.dense[items[:, None], items]
            _add_combined(block, parts[0].T * -self._factors[: self.pending], parts[0])
            np.fill_diagonal(block, 0.0)
            result[items] = values.astype(block.dtype) @ block
        return result

    def _images(self, terms: Sequence[Term]) -> tuple[Reals, list[Reals]]:
        """Return `Q u` for the `u` of every term, [terms, n], and the pending vectors at the items of each term."""
        images: Reals = np.zeros((len(terms), self.size), self.dense.dtype)
        vectors, folding = self._vectors[: self.pending], self._folding
        parts = [vectors.take(term.items, axis=1, mode="clip") for term in terms]
        inner = np.empty((len(terms), self.pending), self.dense.dtype)
        for place, term in enumerate(terms):
            values = term.values.astype(self.dense.dtype)
            add_rows(images[place], values, self.dense, term.items)
            inner[place] = np.einsum("k,pk->p", values, parts[place])
        inner *= -self._factors[: self.pending]
        # Folded parts of the vectors are zeros: they need not be read.
        _add_combined(images[:, self._folded :], inner[:, :folding], vectors[:folding, self._folded :])
        _add_combined(images, inner[:, folding:], vectors[folding:])
        return images, parts

    def rows(self, items: NDArray[np.int32]) -> Reals:
        """Return the rows `items`, int32 [k], of `Q`, [k, n] in its dtype."""
        result: Reals = self.dense[items]
        if self.pending:
            vectors = self._vectors[: self.pending]
            result -= (vectors[:, items].T * self._factors[: self.pending]) @ vectors
        return result

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> Reals:
        """Return the entries of `Q` at `items`, int32 [k], x `targets`, int32 [t]: [k, t] in its dtype."""
        result: Reals = self.dense[items[:, None], targets]
        if self.pending:
            vectors = self._vectors[: self.pending]
            _add_combined(result, vectors[:, items].T * -self._factors[: self.pending], vectors[:, targets])
        return result

    def whole(self) -> Reals:
        """Fold all pending terms and return `Q` itself, [n, n] in its dtype; do not write to it."""
        self.fold()
        return self.dense

    def update(self, items: NDArray[np.int32], values: Reals, scale: float, spare: float = 0.0) -> None:
        """Follow `A <- A + scale u u'` for a sparse `u`: `items` int32 [k], `values` floats [k].

        `spare` is `u' R^-1 u` for a diagonal `R` that `A` exceeds before and after the change; while it does,
        `1 + scale u'Qu >= 1 / (1 + |scale| spare)` for a negative `scale`. Raises `Corrupt`, and changes nothing, when
        that is not true: the inverse is damaged, or the removed part was never in the matrix.
        """
        self.update_all([Term(items, values, scale, spare)])

    def update_all(self, terms: Sequence[Term]) -> None:
        """Follow several changes, one after the other, at little more than the cost of one; see `update`.

        Raises `Corrupt`; with more terms than half of those that may be pending, the first of them may be in by then.
        """
        most = max(len(self._factors) // 2, 1)
        for first in range(0, len(terms), most):
            self._take_over(terms[first : first + most])
            self._fold_some()

    def _take_over(self, terms: Sequence[Term]) -> None:
        """Compute vectors and factors of some terms, each with those before it, and keep them if all bounds hold."""
        images, _ = self._images(terms)
        factors = np.zeros(len(terms), self.dense.dtype)
        for place, term in enumerate(terms):
            image = images[place]
            if place:
                inner = images[:place, term.items] @ term.values.astype(self.dense.dtype)
                _add_combined(images[place : place + 1], -(inner * factors[:place])[None], images[:place])
            factors[place] = self._factor(term, image)
        if self.pending + len(terms) > len(self._factors):
            self.fold()
        kept = slice(self.pending, self.pending + len(terms))
        self._vectors[kept], self._factors[kept] = images, factors
        self.pending += len(terms)
        self.terms += len(terms)
        for factor, image in zip(factors.tolist(), images, strict=True):
            self.diagonal -= factor * np.square(image, dtype=np.float64)

    def _factor(self, term: Term, image: Reals) -> float:
        """Return the factor of a term whose `Q u` is `image`. Raises `Corrupt`."""
        inner = float(np.asarray(term.values, np.float64) @ image[term.items].astype(np.float64))
        denominator = 1.0 + term.scale * inner
        bound = 1.0 if term.scale >= 0 else 1.0 / (1.0 - term.scale * term.spare)
        if not denominator >= bound - _SLACK[self.dense.dtype.name] * min(1.0, 10 * bound):
            raise Corrupt(
                "The inverse does not fit what is taken from its matrix.", advice="Rebuild the model from its sum."
            )
        return term.scale / denominator

    def _fold_some(self) -> None:
        """Fold a few slices of the terms that are being folded: more of them, the more new terms have come.

        A read-only dense part is folded only when there is no room, because it must be copied as a whole.
        """
        most = len(self._factors)
        if not self._folding and 2 * self.pending >= most and self.dense.flags.writeable:
            self._folding = self.pending
        room = max(most - self._folding, 1)
        step = -(-room // (_SLICES * _HASTE))
        due = ((self.pending - self._folding) // step + 1) * max(1.0 / _SLICES, step / room)
        while self._folding and 1.0 - (1.0 - self._folded / self.size) ** 2 < due:
            self._fold_band()

    def fold(self) -> None:
        """Subtract all pending terms from the dense part in one pass: half of the products, both halves written.

        Copies a read-only dense part first.
        """
        # Rows that have some of the terms already have zeros in their vectors.
        self._folding, self._folded = self.pending, 0
        while self._folding:
            self._fold_band()

    def _fold_band(self) -> None:
        """Fold these terms into the next band of rows, and into the same columns."""
        if not self.dense.flags.writeable:
            self.dense = self.dense.copy()
        top = self._folded
        rows = slice(top, min(top + _TILE_ROWS, self.size))
        vectors = self._vectors[: self._folding]
        scaled = vectors[:, rows] * self._factors[: self._folding, None]
        for left in range(top, self.size, _TILE_COLUMNS):
            columns = slice(left, left + _TILE_COLUMNS)
            tile = self.dense[rows, columns]
            add_product(tile, scaled.T, vectors[:, columns], scale=-1.0)
            if left == top:
                # Rounding must not make the two halves of a corner differ.
                corner = tile[:, : len(tile)]
                corner += corner.T
                corner *= 0.5
                self.diagonal[rows] = np.diagonal(corner)
                tile, columns = tile[:, len(tile) :], slice(rows.stop, left + _TILE_COLUMNS)
            self.dense[columns, rows] = tile.T
        vectors[:, rows] = 0.0
        later = slice(self._folding, self.pending)
        self.diagonal[rows] -= self._factors[later] @ np.square(self._vectors[later, rows], dtype=np.float64)
        self._folded = rows.stop
        if self._folded == self.size:
            kept = self.pending - self._folding
            self._vectors[:kept], self._factors[:kept] = self._vectors[later], self._factors[later]
            self.pending, self._folding, self._folded = kept, 0, 0

    def grow(self, diagonal: NDArray[np.float64]) -> None:
        """Append rows whose matrix part is diagonal: `diagonal`, float64 [m], are their entries of `A`, above zero."""
        old, new = self.size, self.size + len(diagonal)
        self.fold()
        wider = np.zeros((new, new), self.dense.dtype)
        wider[:old, :old] = self.dense
        wider[np.arange(old, new), np.arange(old, new)] = 1.0 / diagonal
        self.dense = wider
        self.diagonal = np.diagonal(wider).astype(np.float64)
        self._vectors = np.zeros((len(self._factors), new), wider.dtype)

    def residual(self, item: int, column: NDArray[np.float64]) -> float:
        """Return the largest entry of `|Q a - e_item|`; `column`, float64 [n], is column `item` of `A`: `a`."""
        weights = column.astype(self.dense.dtype)
        probe = (self.dense @ weights).astype(np.float64)
        if self.pending:
            vectors = self._vectors[: self.pending]
            probe -= ((vectors @ weights) * self._factors[: self.pending]) @ vectors
        probe[item] -= 1.0
        return float(np.abs(probe).max())


def _add_combined(out: Reals, factors: Reals, vectors: Reals) -> None:
    """Do `out += factors vectors`, [m, p] times [p, n], on this thread.

    A large product of BLAS may wait long for another thread while the processors are busy; a small one needs none.
    """
    if len(vectors):
        add_product(out, factors, vectors, operations_max=_ALONE_OPERATIONS)
