"""The solved recommender for the keeper of its sum: it follows exact differences, and is frozen for a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender import files, scores
from assent.models.recommender.form import Form
from assent.models.recommender.inputs import input_of
from assent.models.recommender.settings import DEFAULT, RecommenderSettings, SettingKeywords, changed
from assent.models.recommender.solver import solve
from assent.models.recommender.sparse.solver import Progress, Solver, solve_here
from assent.sums import Contribution, PairSum
from assent.terms.errors import Corrupt, NotLearned

#: Past one changed person in this many items, a new solve is cheaper than following one by one.
_FOLLOW_SHARE: Final = 4
#: After this many rank-one terms the inverse is compared with its sum at one item.
_PROBE_TERMS: Final = 1024
#: Past this error of the probe the inverse is computed again.
_PROBE_TOLERANCE: Final = {"float32": 1e-3, "float64": 1e-8}


class SolvedModel:
    """A sum and its solved form; it adds and forgets people exactly. Safe to use from several threads.

    `memory_bytes` replaces the memory that is really free when the size of what is solved is checked.
    """

    def __init__(self, form: Form, settings: RecommenderSettings, memory_bytes: int | None = None) -> None:
        """Take over a solved form; `of_sum`, `of_snapshot` and `load` make one."""
        self._settings = settings
        self._memory_bytes = memory_bytes
        #: The number of repairs: the inverse was computed again because it no longer fitted its sum.
        self.repairs = 0
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._form = form
        self._probed_terms = 0

    @classmethod
    def of_sum(
        cls,
        total: PairSum,
        settings: RecommenderSettings = DEFAULT,
        *,
        memory_bytes: int | None = None,
        progress: Progress | None = None,
        solver: Solver = solve_here,
        **changes: Unpack[SettingKeywords],
    ) -> Self:
        """Solve a sum, which it takes over, with `settings` and the `changes` to them; sparse columns by `solver`.

        `progress` hears the share done, 0 to 1. Raises `InvalidInput`, and `NotEnoughMemory` before it allocates much.
        """
        settings = changed(settings, **changes)
        return cls(solve(total, settings, memory_bytes, progress, solver), settings, memory_bytes)

    @classmethod
    def of_snapshot(cls, snapshot: files.Snapshot) -> Self:
        """Make a model over the arrays of a snapshot, which must not change meanwhile."""
        return cls(snapshot.form(), snapshot.settings)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; its arrays are mapped, and shared between processes until one folds changes.

        Raises `NotFound` when there is no file, `Corrupt` for one that is truncated, altered or of another version.
        """
        return cls.of_snapshot(files.load(Path(path)))

    # -- properties ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> RecommenderSettings:
        """The settings it is solved with."""
        return self._settings

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
        """The number of changes beside the arrays, or folded into them, since they were solved or loaded."""
        return self._form.terms

    @property
    def sum(self) -> PairSum:
        """The whole-number sum; do not change it."""
        return self._form.total

    def digest(self) -> str:
        """Return the SHA-256 of the sum, in hex: equal for all models of the same people over the same items."""
        with self._writing:
            return self.sum.digest()

    def popularity(self) -> NDArray[np.int64]:
        """Return the number of people of each item, int64 [items]."""
        return self.sum.counts.copy()

    # -- following its sum ---------------------------------------------------------------------------------------

    def solve(self, *, progress: Callable[[float], None] | None = None) -> None:
        """Compute the inverse again from the whole-number sum; the old one answers meanwhile."""
        with self._writing:
            self.adopt(self.sum, progress)

    def adopt(self, total: PairSum, progress: Callable[[float], None] | None = None) -> None:
        """Take over a sum and solve it; the old model answers meanwhile. Raises `NotEnoughMemory`."""
        form = solve(total, self._settings, self._memory_bytes, progress)
        with self._reading:
            self._form, self._probed_terms = form, 0

    def add(self, contribution: Contribution) -> None:
        """Add one person's contribution; raises `InvalidInput` or `SumOverflow`, and then changed nothing."""
        self.change([contribution], 1)

    def remove(self, contribution: Contribution) -> None:
        """Subtract one person's contribution; raises `NotLearned`, and then changed nothing."""
        self.change([contribution], -1)

    def change(self, people: Sequence[Contribution], sign: int) -> None:
        """Add people (`sign` 1) or subtract them (-1), all or none; raises as `add` and `remove`."""
        with self._writing:
            self._change(people, sign)

    def _change(self, people: Sequence[Contribution], sign: int) -> None:
        """Change the sum first, on a copy; then let the form follow, or solve again when that is cheaper."""
        form = self._form
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
        """Find the cause of a violated bound: the form was damaged, or a person was never in the sum.

        The form is solved again from the old sum. If the people fit now, it was damaged and the change is made; if not,
        raises `NotLearned`, although each entry of the sum is large enough.
        """
        self.adopt(old)
        self.repairs += 1
        try:
            self._form.prepare(fresh, people, sign)()
        except Corrupt as error:
            self.adopt(old)
            raise NotLearned("This contribution is not part of the sum.") from error

    def _probe(self) -> None:
        """Compare the form with its sum at one item, every `_PROBE_TERMS` terms, and solve again if it drifted."""
        form = self._form
        if form.terms - self._probed_terms < _PROBE_TERMS:
            return
        self._probed_terms = form.terms
        if form.residual(form.terms % self.columns) > _PROBE_TOLERANCE[self._settings.dtype]:
            self.repairs += 1
            self.adopt(form.total)

    def residual(self, item: int) -> float:
        """Return the error of the solved form at `item` against the sum: for `Q` the largest of `|Q a - e|`."""
        with self._writing:
            return self._form.residual(item)

    def grow(self, columns: int) -> None:
        """Append items without people; raises `InvalidInput` for fewer items, `NotEnoughMemory`."""
        with self._writing:
            form, fresh = self._form, self.sum.copy()
            fresh.grow(columns)
            if columns > form.columns:
                step = form.prepare_growth(fresh, self._memory_bytes)
                with self._reading:
                    step()

    def replace_rows(
        self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, *, solve: bool = True
    ) -> bool:
        """Replace rows that another process changed, with their `counts`, int64 [items], and `people`.

        The form follows by the exact difference. Where a new solve is cheaper it is solved, or without `solve` nothing
        changes and the answer is `False`. Raises `Corrupt` when they do not fit; then nothing changed.
        """
        with self._writing:
            form = self._form
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

    @contextmanager
    def answering(self) -> Iterator[Form]:
        """Lock the solved form for one answer."""
        with self._reading:
            yield self._form

    def score_one(self, items: NDArray[Any], weights: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Return the score of every item for one person, float32 [items]; touches the rows of their items only.

        `items` whole numbers [k], each once; `weights` [k] numbers from zero on, ones if left out. Raises
        `InvalidInput`.
        """
        with self._reading:
            return self._form.score_one(*scores.checked_input(items, weights, self.columns))

    def parts(self, items: NDArray[Any], weights: NDArray[Any] | None, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Return the part of each of a person's items in the score of each target, float32 [k, t].

        `items` whole numbers [k], each once; `weights` numbers [k] from zero on, or None for ones; `targets` whole
        numbers [t]. The columns add up to `score_one(items, weights)[targets]`. Raises `InvalidInput`.
        """
        with self._reading:
            wanted = scores.item_numbers(targets, self.columns)
            parts = self._form.parts(*scores.checked_input(items, weights, self.columns), wanted)
        return parts.astype(np.float32)

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return the partial correlation of every item with `item`, float32 [items], -1 to 1; -inf for the item itself.

        It is the correlation of two items given all others. Raises `InvalidInput` for an item outside the model.
        """
        with self._reading:
            return self._form.similar(int(scores.item_numbers(np.array([item]), self.columns)[0]))

    def scores_of(self, history: NDArray[np.void]) -> NDArray[np.float32]:
        """Return the score of every item for a history (HISTORY dtype, [entries]), float32 [items]."""
        return self.score_one(*input_of(history))

    def parts_of(self, history: NDArray[np.void]) -> NDArray[np.float32]:
        """Return the part of each item of a history (HISTORY dtype, [entries]) in the scores, float32 [k, items]."""
        return self.parts(*input_of(history), np.arange(self.columns, dtype=np.int32))

    # -- keeping -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the model to one file, whole or not at all. Raises `StoreUnavailable` when it cannot be written."""
        with self._writing, self._reading:
            files.save(Path(path), files.Snapshot.of(self._settings, self._form))

    def freeze(self) -> files.Snapshot:
        """Return the model in read-only arrays; later changes stay beside them.

        A fold of later changes makes a second array; meant for a model that is soon replaced by its file.
        """
        with self._writing, self._reading:
            return files.Snapshot.of(self._settings, self._form).freeze()
