"""Finding good settings: some of people's items are hidden, and the settings that bring most of them back are kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from assent.models.recommender.settings import Settings
from assent.models.recommender.trial import Trial

#: The places at which each setting is tried.
_PLACES: Final = {
    "weight_exponent": (0.0, 0.25, 0.5, 0.75, 1.0),
    "popularity_exponent": (0.0, 0.125, 0.25, 0.375, 0.5),
    "popularity_discount": (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "neighbour_share": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "input_discount": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "neighbour_discount": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
#: Those that only combine what is solved, and those that ask for a new inverse; the ridge has steps of its own.
_COMBINED: Final = ("neighbour_share", "neighbour_discount", "popularity_discount", "input_discount")
_SOLVED: Final = ("popularity_exponent", "weight_exponent")
_RIDGE_STEPS: Final = (4.0, 2.0, 1.4)


def tune(
    clean: Any, start: Settings, *, seconds_max: float, progress: Callable[[float], None] | None = None, seed: int = 0
) -> Settings:
    """Return the settings that bring back most of what was hidden from `clean`, a CSR [people, items] of whole numbers.

    The search begins at `start` and changes one setting after the other, with smaller steps of the ridge each round,
    as long as it helps and `seconds_max` have not passed. Given enough time, the same `seed` gives the same settings.
    `progress` hears the share done, 0 to 1. Raises `InvalidInput` when nobody has items enough.
    """
    search = _Search(Trial(clean, seed), start, seconds_max, progress)
    for step in _RIDGE_STEPS:
        for name in _COMBINED:
            search.along(name)
        search.along_ridge(step)
        for name in (*_SOLVED, *_COMBINED):
            search.along(name)
    search.tell(1.0)
    return search.best


class _Search:
    """The best settings so far, and the time that is left to find better ones."""

    def __init__(
        self, trial: Trial, start: Settings, seconds_max: float, progress: Callable[[float], None] | None
    ) -> None:
        self.best = start
        self._trial = trial
        self._progress = progress
        self._began = time.monotonic()
        self._seconds_max = seconds_max
        self._solving_seconds = 0.0
        self._tried: set[Settings] = {start}
        self._worth = trial.worth(start)
        self._solving_seconds = time.monotonic() - self._began

    def tell(self, least: float = 0.0) -> None:
        """Tell the share of the time that has passed."""
        if self._progress is not None:
            self._progress(min(max((time.monotonic() - self._began) / max(self._seconds_max, 1e-9), least), 1.0))

    def _improves(self, candidate: Settings) -> bool:
        """Try a candidate unless it was tried or there is no time for it; keep it when it is better."""
        if candidate in self._tried:
            return False
        began = time.monotonic()
        needed = 0.0 if self._trial.solved(candidate) else self._solving_seconds
        if began - self._began + needed > self._seconds_max:
            return False
        self._tried.add(candidate)
        worth = self._trial.worth(candidate)
        if needed:
            self._solving_seconds = time.monotonic() - began
        self.tell()
        if worth <= self._worth:
            return False
        self.best, self._worth = candidate, worth
        return True

    def along(self, name: str) -> None:
        """Walk one setting up, or down, from place to place while it gets better."""
        for up in (True, False):
            improved = False
            while self._improves(self._next(name, up=up)):
                improved = True
            if improved:
                return

    def _next(self, name: str, *, up: bool) -> Settings:
        """Return the best settings with `name` at its next place, the ridge adapted to it; the same at the end."""
        here = getattr(self.best, name)
        there = [place for place in _PLACES[name] if (place > here if up else place < here)]
        if not there:
            return self.best
        change: dict[str, Any] = {name: min(there) if up else max(there)}
        moved = dataclasses.replace(self.best, **change)
        if name not in _SOLVED:
            return moved
        return _with_ridge(moved, self.best.ridge * self._trial.strength(self.best) / self._trial.strength(moved))

    def along_ridge(self, step: float) -> None:
        """Walk the ridge up, or down, by factors of `step` while it gets better."""
        for factor in (step, 1.0 / step):
            improved = False
            while self._improves(_with_ridge(self.best, self.best.ridge * factor)):
                improved = True
            if improved:
                return


def _with_ridge(settings: Settings, ridge: float) -> Settings:
    """Return the settings with another ridge, rounded to two digits."""
    return dataclasses.replace(settings, ridge=float(np.clip(float(f"{ridge:.1e}"), 1e-3, 1e9)))
