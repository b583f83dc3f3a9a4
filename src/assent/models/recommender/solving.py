"""From the whole-number sum to the form that answers: which one, and which class reads it back from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from numpy.typing import NDArray

from assent.models.recommender.dense import DenseForm, solve_dense
from assent.models.recommender.form import Form
from assent.models.recommender.settings import Settings
from assent.sums import PairSum
from assent.terms.errors import Corrupt

_FORMS: Final[Mapping[str, type[Form]]] = {DenseForm.kind: DenseForm}


def solve(
    total: PairSum, settings: Settings, memory_bytes: int | None, progress: Callable[[float], None] | None = None
) -> Form:
    """Solve a sum anew. Raises `NotEnoughMemory` before anything large is allocated."""
    return solve_dense(total, settings, memory_bytes, progress)


def form_of_arrays(kind: str, total: PairSum, settings: Settings, arrays: Mapping[str, NDArray[Any]]) -> Form:
    """Put a form together from the arrays of a file. Raises `Corrupt` or `KeyError` when they do not fit."""
    if kind not in _FORMS:
        message = f"There is no form of model called {kind!r}."
        raise Corrupt(message)
    return _FORMS[kind].from_arrays(total, settings, arrays)
