"""People x items matrices: each is checked, becomes a clean CSR, and its people are weighed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.models.recommender.settings import DEFAULT
from assent.sums import COLUMNS_MAX, UNIT, VALUE_MAX, Contribution, influences, weights_of
from assent.terms.errors import InvalidInput, TooLarge

_KINDS = "biuf"


def people_by_items(matrix: Any, columns: int | None, *, whole: bool = True) -> Any:
    """Return `matrix` as a clean CSR [people, items]: float64, sorted, without duplicates (added up) or zeros.

    `matrix` scipy.sparse [people, items] of numbers. `columns` is the model's number of items, or `None` for any. With
    `whole`, entries are whole numbers up to `VALUE_MAX`; without, finite numbers from zero on, for scoring. The
    caller's matrix is not changed.
    Raises `InvalidInput`.
    """
    if not scipy.sparse.issparse(matrix) or matrix.ndim != 2:
        raise InvalidInput(
            "A people x items matrix is a two-dimensional scipy.sparse matrix.",
            advice="Make one with scipy.sparse.csr_matrix((values, (people, items)), shape).",
        )
    if not _is_sound(matrix):
        raise InvalidInput(
            "The matrix is damaged: its indices do not fit its shape.",
            advice="Make it anew; scipy.sparse does not look at indices that are set by hand.",
        )
    if matrix.dtype.kind not in _KINDS:
        raise InvalidInput(
            "The entries of a people x items matrix are numbers.", advice="Convert it with .astype('int32')."
        )
    if columns is None and not 1 <= matrix.shape[1] <= COLUMNS_MAX:
        raise InvalidInput(f"A matrix has 1 to {COLUMNS_MAX} items.")
    if columns is not None and matrix.shape[1] != columns:
        raise InvalidInput(
            f"The matrix has {matrix.shape[1]} items, the model has {columns}.",
            advice="Call solved.grow(columns) for new items; items keep their columns.",
        )
    clean = scipy.sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    if clean.nnz and not np.isfinite(clean.data).all():
        raise InvalidInput(
            "The matrix holds an entry that is not a finite number.",
            advice="Leave out what is not known: a person does not have it.",
        )
    if clean.nnz and clean.data.min() < 0:
        raise InvalidInput(
            "The matrix holds a negative entry.",
            advice="Leave out what a person does not have; there is no negative interest.",
        )
    clean.sum_duplicates()
    clean.eliminate_zeros()
    if whole and clean.nnz:
        _refuse_fractions(clean.data)
    return clean


def _is_sound(matrix: Any) -> bool:
    """Tell whether all indices lie in the shape: SciPy would read and write past the ends of its arrays."""
    if matrix.format == "coo":
        return all(
            _is_within(indices, size) for indices, size in zip((matrix.row, matrix.col), matrix.shape, strict=True)
        )
    if matrix.format not in ("csr", "csc"):
        return True
    major, minor = matrix.shape if matrix.format == "csr" else matrix.shape[::-1]
    starts = matrix.indptr
    if len(starts) != major + 1 or starts[0] != 0 or (np.diff(starts) < 0).any():
        return False
    count = int(starts[-1])
    return count <= min(len(matrix.indices), len(matrix.data)) and _is_within(matrix.indices[:count], minor)


def _is_within(indices: NDArray[Any], size: int) -> bool:
    return not len(indices) or bool(indices.min() >= 0 and indices.max() < size)


def _refuse_fractions(entries: NDArray[np.float64]) -> None:
    if (entries != np.floor(entries)).any():
        raise InvalidInput(
            "The matrix holds an entry that is not a whole number.",
            advice="Round to whole numbers: only they can be taken out of a sum exactly.",
        )
    if entries.max() > VALUE_MAX:
        raise InvalidInput(
            f"The matrix holds an entry above {VALUE_MAX} (duplicates are added up).",
            advice=f"Scale the entries down to 1 to {VALUE_MAX}; most models want just ones.",
        )


def weigh(clean: Any, exponent: float) -> tuple[Any, NDArray[np.int64]]:
    """Return a clean CSR [people, items] as CSR int64, and each person's weight, int64 [people] in units of 2^-20.

    The values of a person whose influence is too large for the smallest weight are halved, rounded up, until it fits.
    Raises `TooLarge` for a person with more items than any weight can hold.
    """
    owners = np.repeat(np.arange(clean.shape[0]), np.diff(clean.indptr))
    values, weights = _weigh(clean.data.astype(np.int64), owners, clean.shape[0], exponent)
    return scipy.sparse.csr_matrix((values, clean.indices, clean.indptr), shape=clean.shape), weights


def _weigh(
    values: NDArray[np.int64], owners: NDArray[np.int64], people: int, exponent: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return values, int64 [k], and weights, int64 [people]; `owners` int64 [k] below `people`; `values` may change."""
    while True:
        squares = np.bincount(owners, weights=values**2, minlength=people).astype(np.float64)
        fourths = np.bincount(owners, weights=values**4, minlength=people).astype(np.float64)
        of_heavy = (influences(squares, fourths) > UNIT)[owners]
        if not of_heavy.any():
            break
        if (values[of_heavy] == 1).all():
            raise TooLarge(
                "One row of the matrix holds more items than one person can.",
                advice="Leave such rows out; nobody has a million items.",
            )
        values[of_heavy] = (values[of_heavy] + 1) >> 1
    largest = np.ones(people)
    np.maximum.at(largest, owners, values)
    return values, weights_of(squares, fourths, largest, exponent)


def contributions(clean: Any, exponent: float) -> list[Contribution]:
    """Return the contribution of each person of a clean CSR [people, items]; people without items are left out."""
    weighed, weights = weigh(clean, exponent)
    starts = weighed.indptr
    return [
        Contribution(
            weighed.indices[first:last].astype(np.int32), weighed.data[first:last].astype(np.int32), int(weights[row])
        )
        for row, (first, last) in enumerate(itertools.pairwise(starts.tolist()))
        if last > first
    ]


def contributions_of_rows(
    starts: NDArray[np.int64],
    items: NDArray[np.int32],
    values: NDArray[np.int32],
    *,
    weight_exponent: float = DEFAULT.weight_exponent,
) -> list[Contribution]:
    """Return the `contribution` of many people with at least one item each; all are weighed at once.

    Person p has `items[starts[p]:starts[p + 1]]`, ascending, each once, and the values beside them. `starts` int64
    [people + 1], `items` and `values` int32 [entries]. Raises `InvalidInput`.
    """
    columns = int(items.max(initial=0)) + 1
    rows = scipy.sparse.csr_matrix((values, items, starts), shape=(len(starts) - 1, columns))
    return contributions(rows, weight_exponent)


def contribution(
    items: NDArray[Any], values: NDArray[Any] | None = None, *, weight_exponent: float = DEFAULT.weight_exponent
) -> Contribution:
    """Return one person's contribution: `items` int [k], each once; `values` int [k], 1 to 63, or ones.

    It is exactly what `Recommender(weight_exponent=...).learn` adds for the same row. Raises `InvalidInput`.
    """
    numbers = np.asarray(items)
    amounts = np.ones(len(numbers), np.int64) if values is None else np.asarray(values)
    if numbers.ndim != 1 or amounts.shape != numbers.shape or not len(numbers) or numbers.dtype.kind not in "iu":
        raise InvalidInput("A contribution needs at least one item, and one value for each.")
    if int(numbers.min()) < 0 or int(numbers.max()) >= COLUMNS_MAX or len(np.unique(numbers)) != len(numbers):
        raise InvalidInput("The items of a contribution are whole numbers from zero on, each once.")
    if amounts.dtype.kind not in _KINDS or not ((amounts >= 1) & (amounts <= VALUE_MAX) & (amounts % 1 == 0)).all():
        raise InvalidInput(f"The values of a contribution are whole numbers from 1 to {VALUE_MAX}.")
    order = numbers.argsort()
    weighed, weights = _weigh(amounts[order].astype(np.int64), np.zeros(len(numbers), np.int64), 1, weight_exponent)
    return Contribution(numbers[order].astype(np.int32), weighed.astype(np.int32), int(weights[0]))
