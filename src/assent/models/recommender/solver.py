"""The solver: it chooses the form for a sum, solves it, and reads a form back from a file's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from assent.models.recommender.dense.form import DenseForm, solve_dense
from assent.models.recommender.form import Form
from assent.models.recommender.memory import (
    available_bytes,
    check_dense_fits,
    check_sum_fits,
    dense_bytes,
    float_copy_bytes,
)
from assent.models.recommender.settings import RecommenderSettings
from assent.models.recommender.sparse.form import SparseForm, solve_sparse
from assent.models.recommender.sparse.solver import Progress, Solver, solve_here
from assent.sums import PairSum
from assent.terms.errors import Corrupt

_FORMS: Final[Mapping[str, type[Form]]] = {DenseForm.kind: DenseForm, SparseForm.kind: SparseForm}
#: Up to so many items an inverse is computed in minutes; its time grows with the cube.
_DENSE_ITEMS: Final = 50_000


def is_sparse(columns: int, settings: RecommenderSettings, memory_bytes: int | None, neighbours_bytes: int = 0) -> bool:
    """Tell whether a model over `columns` items is solved in sparse form: by its settings, or because of its size.

    `neighbours_bytes` is `float_copy_bytes` of its sum, once there is one.
    """
    if settings.form != "auto":
        return settings.form == SparseForm.kind
    available = available_bytes() if memory_bytes is None else memory_bytes
    return columns > _DENSE_ITEMS or dense_bytes(columns, settings.dtype) + neighbours_bytes > available


def solve(
    total: PairSum,
    settings: RecommenderSettings,
    memory_bytes: int | None,
    progress: Progress | None = None,
    solver: Solver = solve_here,
) -> Form:
    """Solve a sum, columns of a sparse form by `solver`. Raises `NotEnoughMemory` before it allocates much."""
    columns = total.columns
    if not is_sparse(columns, settings, memory_bytes):
        beside = float_copy_bytes(total, settings)
        if not is_sparse(columns, settings, memory_bytes, beside):
            check_dense_fits(columns, settings.dtype, memory_bytes, beside)
            return solve_dense(total, settings, memory_bytes, progress)
    return solve_sparse(total, settings, memory_bytes, progress, solver)


def check_before_the_sum(matrix: Any, settings: RecommenderSettings, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory` when the solve of the sum over a CSR [people, items] cannot fit, before the sum is made.

    In sparse form the sum itself is counted, from above. In dense form the inverse is; the memory for neighbours beside
    it is known only with the sum.
    """
    columns = int(matrix.shape[1])
    if is_sparse(columns, settings, memory_bytes):
        check_sum_fits(matrix, memory_bytes)
    else:
        check_dense_fits(columns, settings.dtype, memory_bytes)


def form_of_arrays(
    kind: str, total: PairSum, settings: RecommenderSettings, arrays: Mapping[str, NDArray[Any]]
) -> Form:
    """Return the form of a file's arrays, each of the shape and dtype that the form wrote.

    Raises `Corrupt` or `KeyError` when they do not fit.
    """
    if kind not in _FORMS:
        raise Corrupt(f"There is no form of model called {kind!r}.")
    return _FORMS[kind].from_arrays(total, settings, arrays)
