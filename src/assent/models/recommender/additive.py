"""The recommender as the engine keeps it: one kind of additive model among others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from assent.models.additive import AdditiveModel, Facts
from assent.models.recommender.inputs import contributions_of
from assent.models.recommender.settings import DEFAULT, RecommenderSettings, SettingKeywords, changed
from assent.models.recommender.solved import SolvedModel
from assent.models.recommender.sparse.solver import Solver, solve_here
from assent.sums import Contribution, PairSum


class AdditiveRecommender(AdditiveModel[Contribution, PairSum, SolvedModel]):
    """The recommender: a sum over pairs of items. It does not use the catalog's facts."""

    name = "recommender"

    def __init__(self, settings: RecommenderSettings = DEFAULT, **changes: Unpack[SettingKeywords]) -> None:
        """Solve with `settings` and the `changes` to them; raises `InvalidInput` where there is no such model."""
        self.settings = changed(settings, **changes)

    def zero(self, columns: int) -> PairSum:
        """Return the sum without people, of `columns` items."""
        return PairSum(columns)

    def contribution(self, history: NDArray[np.void], facts: Facts) -> Contribution | None:
        """Return the contribution of a history (HISTORY dtype, [entries]); None for an empty one."""
        return self.contributions([history], facts)[0]

    def contributions(self, histories: Sequence[NDArray[np.void]], facts: Facts) -> list[Contribution | None]:  # noqa: ARG002 - not used
        """Return the contribution of many histories (HISTORY dtype, [entries]), in their order, weighed at once."""
        return contributions_of(histories, self.settings.weight_exponent)

    def read_contribution(self, stored: bytes) -> Contribution:
        """Read a stored contribution; raises `Corrupt`."""
        return Contribution.from_bytes(stored)

    def sum_of(self, contributions: Iterable[Contribution], columns: int) -> PairSum:
        """Return the sum of contributions over `columns` items, added up at once. Raises as `PairSum.of`."""
        return PairSum.of(contributions, columns)

    def sum_of_rows(self, columns: int, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int) -> PairSum:
        """Return the sum of its stored rows, `counts` int64 [columns]; raises `Corrupt`."""
        return PairSum.from_row_bytes(columns, rows, counts, people)

    def solve(self, total: PairSum, *, solver: Solver = solve_here) -> SolvedModel:
        """Solve a sum, which it takes over, where it is sparse by `solver`. Raises `NotEnoughMemory`."""
        return SolvedModel.of_sum(total, self.settings, solver=solver)

    def load(self, path: Path) -> SolvedModel:
        """Read a model that `save` wrote. Raises `NotFound`, `StoreUnavailable`, `Corrupt`."""
        return SolvedModel.load(path)

    def describe(self, contribution: Contribution, items: Mapping[int, str]) -> dict[str, Any]:
        """Return a person's items with their values, and their weight in units of 2^-20."""
        counted = zip(contribution.items.tolist(), contribution.values.tolist(), strict=True)
        return {"items": {items[item]: value for item, value in counted}, "weight": contribution.weight}
