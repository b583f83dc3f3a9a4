"""The recommender: a weighted pair sum, a ridge, an inverse. It forgets people exactly, and every score has reasons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender import batch, scores
from assent.models.recommender.matrix import contributions, people_by_items, weigh
from assent.models.recommender.settings import DEFAULT, RecommenderSettings, SettingKeywords, changed
from assent.models.recommender.solved import SolvedModel
from assent.models.recommender.solver import check_before_the_sum
from assent.models.recommender.sparse.solver import Solver, solve_here
from assent.models.recommender.tuning.search import tune
from assent.models.recommender.tuning.trial import trials_of
from assent.sums import PairSum
from assent.terms.errors import InvalidInput, NotFound


class Recommender:
    """Suggests items from people's common items, forgets any person exactly, and explains every score.

    The model is `B = I - Q diag(1 / diag Q)` with `Q = (G + R)^-1`: `G` is the whole-number sum over people of
    `w x x'`, `R` a diagonal ridge; scores are `x B` (EASE: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse
    Data"). `learn` and `forget` change `G` exactly and `Q` by low-rank terms. Safe to use from several threads.

    `Recommender(settings)`, or `Recommender(ridge=..., form=..., ...)` for some of them: see `RecommenderSettings`.
    `memory_bytes` replaces the memory that is really free when a model's size is checked.
    """

    def __init__(
        self,
        settings: RecommenderSettings = DEFAULT,
        *,
        memory_bytes: int | None = None,
        **changes: Unpack[SettingKeywords],
    ) -> None:
        """Make an unfitted model; raises `InvalidInput` for numbers for which there is no model."""
        self._settings = changed(settings, **changes)
        self._memory_bytes = memory_bytes
        self._writing = threading.RLock()
        self._solved: SolvedModel | None = None

    @classmethod
    def of_sum(
        cls,
        total: PairSum,
        settings: RecommenderSettings = DEFAULT,
        *,
        solver: Solver = solve_here,
        **changes: Unpack[SettingKeywords],
    ) -> Self:
        """Make a solved model of a sum, which it takes over; `settings` as the constructor; sparse by `solver`."""
        return cls._of(SolvedModel.of_sum(total, settings, solver=solver, **changes))

    @classmethod
    def _of(cls, solved: SolvedModel) -> Self:
        made = cls(solved.settings)
        made._solved = solved
        return made

    @property
    def settings(self) -> RecommenderSettings:
        """The settings that hold: those it was made with, or what `tune` chose."""
        return self._settings

    @property
    def solved(self) -> SolvedModel:
        """The solved model of the last `fit`. Raises `NotFound` before it."""
        if self._solved is None:
            raise NotFound("The model has learned nothing yet.", advice="Call fit(X) first.")
        return self._solved

    def digest(self) -> str:
        """Return the SHA-256 of the sum, in hex: equal for all models of the same people over the same items."""
        return self.solved.digest()

    # -- learning and forgetting ---------------------------------------------------------------------------------

    def fit(self, matrix: Any, *, progress: Callable[[float], None] | None = None) -> Self:
        """Learn from all people again: `matrix` scipy.sparse [people, items], whole numbers 0 to 63, mostly ones.

        Raises `InvalidInput`, `SumOverflow` or `NotEnoughMemory`; then, and when interrupted, the old model
        continues to answer.
        """
        clean = people_by_items(matrix, None)
        if not clean.nnz:
            raise InvalidInput(
                "The matrix holds nothing to learn from.", advice="Give at least one person with one item."
            )
        check_before_the_sum(clean, self._settings, self._memory_bytes)
        with self._writing:
            self._solved = self._fitted(clean, self._settings, progress)
        return self

    def tune(
        self,
        matrix: Any,
        *,
        validation: Sequence[tuple[Any, Any]] = (),
        seconds_max: float = 600.0,
        progress: Callable[[float], None] | None = None,
        seed: int = 0,
    ) -> Self:
        """Choose the settings that fit `matrix` best, keep them, and learn from all people.

        `matrix` scipy.sparse [people, items], whole numbers 0 to 63.

        A slice of `matrix` itself, drawn by `seed`, is hidden and brought back. Where days are known, give a
        `validation` by time: one or more pairs of people's items before some day and their new items after it, each
        scipy.sparse [any people, items], a row for each person in both. The search begins at the model's settings,
        keeps them unless others are clearly better, and ends after `seconds_max`; the fit comes on top. `progress`
        hears the share done of the search, then of the fit. Settings are not forgotten with a person: see promise.md.
        Raises as `fit`; `InvalidInput` when no items can be hidden: no person has five.
        """
        clean = people_by_items(matrix, None)
        check_before_the_sum(clean, self._settings, self._memory_bytes)
        trials = trials_of(clean, validation, seed)
        with self._writing:
            best = tune(trials, self._settings, seconds_max=seconds_max, progress=progress)
            self._solved = self._fitted(clean, best, progress)
            self._settings = best
        return self

    def _fitted(
        self, clean: Any, settings: RecommenderSettings, progress: Callable[[float], None] | None
    ) -> SolvedModel:
        """Return the model of a clean CSR [people, items]; the old one answers until it is replaced."""
        total = PairSum.from_matrix(*weigh(clean, settings.weight_exponent))
        return SolvedModel.of_sum(total, settings, memory_bytes=self._memory_bytes, progress=progress)

    def learn(self, matrix: Any) -> Self:
        """Add people: `matrix` scipy.sparse [people, items], whole numbers 0 to 63, with the model's items.

        Raises as `fit`; then nothing changed.
        """
        return self._change(matrix, 1)

    def forget(self, matrix: Any) -> Self:
        """Forget people exactly: `matrix` scipy.sparse [people, items], the rows as given to `fit` or `learn`.

        Raises `NotLearned`, and changes nothing, when the sum cannot contain one of them; `InvalidInput` as `fit`.
        """
        return self._change(matrix, -1)

    def _change(self, matrix: Any, sign: int) -> Self:
        clean = people_by_items(matrix, self.solved.columns)
        with self._writing:
            self.solved.change(contributions(clean, self._settings.weight_exponent), sign)
        return self

    # -- answering -----------------------------------------------------------------------------------------------

    def score(self, matrix: Any) -> NDArray[Any]:
        """Return the score of every item for every row: `matrix` scipy.sparse [people, items], numbers from zero on.

        The result is dense [people, items] in the model's dtype. Raises `InvalidInput`.
        """
        solved = self.solved
        clean = people_by_items(matrix, solved.columns, whole=False)
        with solved.answering() as form:
            return scores.score(form, clean)

    def recommend(
        self, matrix: Any, count: int = 10, *, exclude_seen: bool = True
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the best items of every row: ids int32 [people, count] and scores float32 [people, count].

        `matrix` scipy.sparse [people, items], numbers from zero on. Best first; equal scores in the order of the items.
        Places that cannot be filled (a person without items, or no item left) have id -1 and score -inf. Raises
        `InvalidInput`.
        """
        solved = self.solved
        clean = people_by_items(matrix, solved.columns, whole=False)
        number = scores.list_length(count, solved.columns)
        with solved.answering() as form:
            return batch.recommend(form, clean, number, exclude_seen=exclude_seen)

    def explain(self, row: Any, item: int) -> list[tuple[int, float]]:
        """Return the part of each of one person's items in the score of `item`: (item, part), the largest first.

        `row` scipy.sparse [1, items]. The parts add up to `score(row)[0, item]`. Raises `InvalidInput`.
        """
        solved = self.solved
        clean = people_by_items(row, solved.columns, whole=False)
        if clean.shape[0] != 1 or not 0 <= item < solved.columns:
            raise InvalidInput("An explanation is for one row and one of the model's items.")
        with solved.answering() as form:
            return scores.explain(form, clean, item)

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return the partial correlation of every item with `item`, float32 [items], -1 to 1; -inf for the item itself.

        It is the correlation of two items given all others. Raises `InvalidInput` for an item outside the model.
        """
        return self.solved.similar(item)

    # -- keeping -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the model to one file, whole or not at all. Raises `StoreUnavailable` when it cannot be written."""
        self.solved.save(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; its arrays are mapped, and shared between processes until one folds changes.

        Raises `NotFound` when there is no file, `Corrupt` for one that is truncated, altered or of another version.
        """
        return cls._of(SolvedModel.load(path))
