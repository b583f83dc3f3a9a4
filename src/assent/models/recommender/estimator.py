"""The recommender: a weighted pair sum, a ridge, an inverse. People come and go exactly; every score has reasons."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender import batch, files, scoring, solving, tuning
from assent.models.recommender.form import Form
from assent.models.recommender.matrix import contributions, people_by_items, weigh
from assent.models.recommender.settings import DEFAULT, Settings
from assent.models.recommender.sparse_solving import Solver, solve_here
from assent.models.recommender.trial import trials_of
from assent.sums import Contribution, PairSum
from assent.terms.errors import Corrupt, InvalidInput, NotFound, NotLearned

#: Past one changed person in this many items, solving anew is cheaper than following one by one.
_FOLLOW_SHARE: Final = 4
#: After this many rank-one terms the inverse is held against its sum at one item.
_PROBE_TERMS: Final = 1024
#: How far the probe may be off before the inverse is computed anew.
_PROBE_LIMIT: Final = {"float32": 1e-3, "float64": 1e-8}


class Recommender:
    """Suggests items from what people have in common, forgets any of them exactly, and says why.

    The model is `B = I - Q diag(1 / diag Q)` with `Q = (G + R)^-1`: `G` is the whole-number sum over people of
    `w x x'`, `R` a diagonal ridge; scores are `x B` (EASE: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse
    Data"). `learn` and `forget` change `G` exactly and `Q` by low-rank terms. Safe to use from several threads.

    `Recommender(weight_exponent=..., ridge=..., popularity_exponent=..., dtype=...)`: see `Settings`.
    `memory_bytes` replaces the memory that is really free when a model's size is checked.
    """

    def __init__(
        self,
        *,
        weight_exponent: float = DEFAULT.weight_exponent,
        ridge: float = DEFAULT.ridge,
        popularity_exponent: float = DEFAULT.popularity_exponent,
        popularity_discount: float = DEFAULT.popularity_discount,
        neighbour_share: float = DEFAULT.neighbour_share,
        input_discount: float = DEFAULT.input_discount,
        neighbour_discount: float = DEFAULT.neighbour_discount,
        dtype: str = DEFAULT.dtype,
        form: str = DEFAULT.form,
        memory_bytes: int | None = None,
    ) -> None:
        """Make an unfitted model; raises `InvalidInput` for numbers for which there is no model."""
        self.settings = Settings(
            weight_exponent,
            ridge,
            popularity_exponent,
            popularity_discount,
            neighbour_share,
            input_discount,
            neighbour_discount,
            dtype,
            form,
        )
        self.memory_bytes = memory_bytes
        #: How often the inverse was computed anew because it no longer fitted its sum.
        self.repairs = 0
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._form: Form | None = None
        self._probed_terms = 0

    @classmethod
    def of_sum(cls, total: PairSum, *, solver: Solver = solve_here, **settings: Any) -> Self:
        """Make a solved model of a sum, which it takes over; `settings` as the constructor; sparse by `solver`."""
        made = cls(**settings)
        made._form = solving.solve(total, made.settings, made.memory_bytes, solver=solver)
        return made

    # -- what it holds -------------------------------------------------------------------------------------------

    @property
    def columns(self) -> int:
        """The number of items."""
        return self.sum.columns

    @property
    def people(self) -> int:
        """The number of people in the sum."""
        return self.sum.people

    @property
    def terms(self) -> int:
        """How many changes lie beside the arrays, or were folded into them, since they were solved or loaded."""
        return self._held().terms

    @property
    def sum(self) -> PairSum:
        """The whole-number sum; do not change it. Raises `NotFound` before the first fit."""
        return self._held().total

    def digest(self) -> str:
        """Return the SHA-256 of the sum, in hex: equal for all models of the same people over the same items."""
        with self._writing:
            return self.sum.digest()

    def popularity(self) -> NDArray[np.int64]:
        """Return how many people hold each item, int64 [items]."""
        return self.sum.counts.copy()

    def _held(self) -> Form:
        if self._form is None:
            message = "The model has learned nothing yet."
            raise NotFound(message, advice="Call fit(X) first.")
        return self._form

    # -- learning and forgetting ---------------------------------------------------------------------------------

    def fit(self, matrix: Any, *, progress: Callable[[float], None] | None = None) -> Self:
        """Learn from everybody anew: `matrix` scipy.sparse [people, items], whole numbers 0 to 63, mostly ones.

        Raises `InvalidInput`, `SumOverflow` or `NotEnoughMemory`; then, and when interrupted, the model before it
        goes on answering.
        """
        clean = people_by_items(matrix, None)
        if not clean.nnz:
            message = "The matrix holds nothing to learn from."
            raise InvalidInput(message, advice="Give at least one person with one item.")
        solving.refuse_before_the_sum(clean, self.settings, self.memory_bytes)
        with self._writing:
            self.adopt(PairSum.from_matrix(*weigh(clean, self.settings.weight_exponent)), progress)
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
        """Choose the settings that fit `matrix` best, keep them, and learn from everybody: `matrix` as for `fit`.

        A slice of `matrix` itself, drawn by `seed`, is hidden and brought back. Where days are known, give a
        `validation` by time: one or more pairs of what people held before some day and what they took after it, each
        scipy.sparse [any people, items], a row for each person in both. The search begins at the model's settings,
        keeps them unless others are clearly better, and ends after `seconds_max`; the fit comes on top. `progress`
        hears the share done of the search, then of the fit. Settings are not forgotten with a person: see promise.md.
        Raises as `fit`; `InvalidInput` when nothing can be hidden: nobody has five items.
        """
        clean = people_by_items(matrix, None)
        solving.refuse_before_the_sum(clean, self.settings, self.memory_bytes)
        trials = trials_of(clean, validation, seed)
        with self._writing:
            best = tuning.tune(trials, self.settings, seconds_max=seconds_max, progress=progress)
            total = PairSum.from_matrix(*weigh(clean, best.weight_exponent))
            form = solving.solve(total, best, self.memory_bytes, progress)
            with self._reading:
                self.settings, self._form, self._probed_terms = best, form, 0
        return self

    def solve(self, *, progress: Callable[[float], None] | None = None) -> None:
        """Compute the inverse anew from the whole-number sum; the one before it answers until the new one stands."""
        with self._writing:
            self.adopt(self.sum, progress)

    def adopt(self, total: PairSum, progress: Callable[[float], None] | None = None) -> None:
        """Take over a sum and solve it; the model before it answers meanwhile. Raises `NotEnoughMemory`."""
        form = solving.solve(total, self.settings, self.memory_bytes, progress)
        with self._reading:
            self._form, self._probed_terms = form, 0

    def learn(self, matrix: Any) -> Self:
        """Add people: `matrix` as for `fit`, with the model's items. Raises as `fit`; then nothing changed."""
        return self._change(matrix, 1)

    def forget(self, matrix: Any) -> Self:
        """Take people out, exactly as they were learned: rows as they were given to `fit` or `learn`.

        Raises `NotLearned`, and changes nothing, when the sum cannot hold one of them; `InvalidInput` as `fit`.
        """
        return self._change(matrix, -1)

    def _change(self, matrix: Any, sign: int) -> Self:
        clean = people_by_items(matrix, self.columns)
        with self._writing:
            self._change_people(contributions(clean, self.settings.weight_exponent), sign)
        return self

    def contribution(self, row: Any) -> Contribution:
        """Return exactly what `learn` would add for one person: `row` scipy.sparse [1, items].

        Raises `InvalidInput` for more or less than one row, or a row without items.
        """
        made = contributions(people_by_items(row, None), self.settings.weight_exponent)
        if row.shape[0] != 1 or not made:
            message = "A contribution is made of one row with at least one item."
            raise InvalidInput(message)
        return made[0]

    def add(self, contribution: Contribution) -> None:
        """Add one person's contribution; raises `InvalidInput` or `SumOverflow`, and then changed nothing."""
        with self._writing:
            self._change_people([contribution], 1)

    def remove(self, contribution: Contribution) -> None:
        """Take one person's contribution out; raises `NotLearned`, and then changed nothing."""
        with self._writing:
            self._change_people([contribution], -1)

    def _change_people(self, people: Sequence[Contribution], sign: int) -> None:
        """Change the sum first, on a copy; then let the form follow, or solve anew when that is cheaper."""
        form = self._held()
        fresh = form.total.copy()
        for one in people:
            if sign > 0:
                fresh.add(one)
            else:
                fresh.remove(one)
        if len(people) * _FOLLOW_SHARE > fresh.columns:
            self.adopt(fresh)
            return
        step, old = form.prepare(fresh, people, sign), form.total
        with self._reading:
            try:
                step()
            except Corrupt:
                self._repair(old, fresh, people, sign)
            except BaseException:
                self.adopt(old)
                raise
        self._probe()

    def _repair(self, old: PairSum, fresh: PairSum, people: Sequence[Contribution], sign: int) -> None:
        """Find out what a violated bound means: the form was damaged, or somebody was never in the sum.

        It is solved anew from the sum as it stood. If the people fit now, it was damaged and the change goes through;
        if not, the sum refuses them although each of its entries is large enough.
        """
        self.adopt(old)
        self.repairs += 1
        try:
            self._held().prepare(fresh, people, sign)()
        except Corrupt as error:
            self.adopt(old)
            message = "This contribution is not part of the sum."
            raise NotLearned(message) from error

    def _probe(self) -> None:
        """Now and then hold the form against its sum at one item, and solve anew if it drifted."""
        form = self._held()
        if form.terms - self._probed_terms < _PROBE_TERMS:
            return
        self._probed_terms = form.terms
        if form.residual(form.terms % self.columns) > _PROBE_LIMIT[self.settings.dtype]:
            self.repairs += 1
            self.adopt(form.total)

    def residual(self, item: int) -> float:
        """Return how far the solved form is from what the sum says of `item`: for `Q` the largest of `|Q a - e|`."""
        with self._writing:
            return self._held().residual(item)

    def grow(self, columns: int) -> None:
        """Append items nobody holds yet; raises `InvalidInput` for fewer items, `NotEnoughMemory`."""
        with self._writing:
            form, fresh = self._held(), self.sum.copy()
            fresh.grow(columns)
            if columns > form.columns:
                step = form.prepare_growth(fresh, self.memory_bytes)
                with self._reading:
                    step()

    def replace_rows(
        self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, *, solve: bool = True
    ) -> bool:
        """Take over rows that another process changed, with the counts and people that belong to them.

        The form follows by the exact difference. Where solving anew is cheaper it is solved, or without `solve`
        nothing changes and the answer is `False`. Raises `Corrupt` when they do not fit; then nothing changed.
        """
        with self._writing:
            form = self._held()
            old, fresh = form.total, form.total.copy()
            fresh.replace_rows(rows, counts, people)
            step = form.prepare_rows(fresh, np.array(sorted(rows), np.int32))
            with self._reading:
                try:
                    near = step()
                except Corrupt:
                    self.repairs += 1
                    near, solve = False, True
                except BaseException:
                    self.adopt(old)
                    raise
            if not near:
                if not solve:
                    return False
                self.adopt(fresh)
            self._probe()
            return True

    # -- answering -----------------------------------------------------------------------------------------------

    def score(self, matrix: Any) -> NDArray[Any]:
        """Return the score of every item for every row: `matrix` scipy.sparse [people, items], numbers from zero on.

        The result is dense [people, items] in the model's dtype. Raises `InvalidInput`.
        """
        clean = people_by_items(matrix, self.columns, whole=False)
        with self._reading:
            return scoring.score(self._held(), clean)

    def recommend(
        self, matrix: Any, count: int = 10, *, exclude_seen: bool = True
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the best items of every row: ids int32 [people, count] and scores float32 [people, count].

        Best first; equal scores in the order of the items. Places that cannot be filled (nothing is known of the
        person, or nothing is left) hold id -1 and score -inf. Raises `InvalidInput`.
        """
        clean = people_by_items(matrix, self.columns, whole=False)
        number = scoring.list_length(count, self.columns)
        with self._reading:
            return batch.recommend(self._held(), clean, number, exclude_seen=exclude_seen)

    def explain(self, row: Any, item: int) -> list[tuple[int, float]]:
        """Return what each item of one person adds to the score of `item`: (item, part), the largest first.

        `row` scipy.sparse [1, items]. The parts add up to `score(row)[0, item]`. Raises `InvalidInput`.
        """
        clean = people_by_items(row, self.columns, whole=False)
        if clean.shape[0] != 1 or not 0 <= item < self.columns:
            message = "An explanation is for one row and one of the model's items."
            raise InvalidInput(message)
        with self._reading:
            return scoring.explain(self._held(), clean, item)

    def score_one(self, items: NDArray[Any], weights: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Return the score of every item for one person, float32 [items]; touches the rows of their items only.

        `items` whole numbers [k], each once; `weights` [k] numbers from zero on, ones if left out. Raises
        `InvalidInput`.
        """
        with self._reading:
            return self._held().score_one(*scoring.person(items, weights, self.columns))

    def parts(self, items: NDArray[Any], weights: NDArray[Any] | None, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Return what each of a person's items adds to the score of each target, float32 [items, targets].

        The columns add up to `score_one(items, weights)[targets]`. Raises `InvalidInput`.
        """
        with self._reading:
            wanted = scoring.item_numbers(targets, self.columns)
            told = self._held().parts(*scoring.person(items, weights, self.columns), wanted)
        return told.astype(np.float32)

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return how closely every item goes with `item`, float32 [items], -1 to 1, and -inf for the item itself.

        It is the partial correlation: what two items have in common once all others are taken into account. Raises
        `InvalidInput` for an item the model does not have.
        """
        with self._reading:
            return self._held().similar(int(scoring.item_numbers(np.array([item]), self.columns)[0]))

    # -- keeping -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the model to one file, whole or not at all. Raises `StoreUnavailable` when it cannot be written."""
        with self._writing, self._reading:
            files.save(Path(path), files.Snapshot.of(self.settings, self._held()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; its arrays are mapped, and shared between processes until one folds changes.

        Raises `NotFound` when there is no file, `Corrupt` for one that is truncated, altered or of another version.
        """
        return cls.of_snapshot(files.load(Path(path)))

    @classmethod
    def of_snapshot(cls, snapshot: files.Snapshot) -> Self:
        """Make a model of its own over the arrays of a snapshot, which nobody may write to meanwhile."""
        made = cls(**dataclasses.asdict(snapshot.settings))
        made._form = snapshot.form()
        return made

    def freeze(self) -> files.Snapshot:
        """Return the model as it stands, in arrays that nobody writes to any more: changes stay beside them.

        A fold of later changes makes a second array; meant for a model that is soon replaced by its file.
        """
        with self._writing, self._reading:
            return files.Snapshot.of(self.settings, self._held()).freeze()
