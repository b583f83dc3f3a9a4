"""The search for settings: some of people's items are hidden, and the settings that bring most back are kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import DEFAULT, RecommenderSettings
from assent.models.recommender.tuning.trial import Trial

#: The values at which each setting is tried.
_PLACES: Final = {
    "weight_exponent": (0.0, 0.25, 0.5, 0.75, 1.0),
    "popularity_exponent": (0.0, 0.125, 0.25, 0.375, 0.5),
    "popularity_discount": (-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "neighbour_share": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "input_discount": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "neighbour_discount": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
#: The settings that only combine solved arrays, and those that need a new inverse; the ridge has steps of its own.
_COMBINED: Final = ("neighbour_share", "neighbour_discount", "popularity_discount", "input_discount")
_SOLVED: Final = ("popularity_exponent", "weight_exponent")
_RIDGE_STEPS: Final = (4.0, 2.0, 1.4)
#: New settings are kept when the mean gain is this many standard errors: of some sixty equal candidates, the best
#: looks better by about two.
_ERRORS: Final = 2.5


def tune(
    trials: Sequence[Trial],
    start: RecommenderSettings,
    *,
    seconds_max: float,
    progress: Callable[[float], None] | None = None,
) -> RecommenderSettings:
    """Return the settings that bring back most of what all trials hide, or `start` if none are clearly better.

    The search begins at `start`, or at the defaults if they are better, and changes one setting after the other, with
    smaller steps of the ridge each round, as long as it helps and `seconds_max` have not passed. Given enough time, the
    same trials give the same settings. `progress` gets the share done, 0 to 1.
    """
    search = _Search(trials, start, seconds_max, progress)
    search.improves(dataclasses.replace(DEFAULT, dtype=start.dtype, form=start.form))
    for step in _RIDGE_STEPS:
        for name in _COMBINED:
            search.along(name)
        search.along_ridge(step)
        for name in (*_SOLVED, *_COMBINED):
            search.along(name)
    search.report(1.0)
    return search.best if _clearly_above_zero(search.gains()) else start


class _Search:
    """The best settings so far, and the remaining time to find better ones."""

    def __init__(
        self,
        trials: Sequence[Trial],
        start: RecommenderSettings,
        seconds_max: float,
        progress: Callable[[float], None] | None,
    ) -> None:
        self.best = start
        self._trials = trials
        self._progress = progress
        self._began = time.monotonic()
        self._seconds_max = seconds_max
        self._solving_seconds = 0.0
        self._tried: set[RecommenderSettings] = {start}
        self._first_worths = self._worths = self._judge(start)
        self._solving_seconds = time.monotonic() - self._began

    def report(self, least: float = 0.0) -> None:
        """Report the share of the time that has passed."""
        if self._progress is not None:
            self._progress(min(max((time.monotonic() - self._began) / max(self._seconds_max, 1e-9), least), 1.0))

    def _judge(self, settings: RecommenderSettings) -> NDArray[np.float64]:
        """Return the worth of settings for each person of all trials, float64 [people]."""
        return np.concatenate([trial.worths(settings) for trial in self._trials])

    def gains(self) -> NDArray[np.float64]:
        """Return the gain of the best settings over the first ones for each person, float64 [people]."""
        return self._worths - self._first_worths

    def improves(self, candidate: RecommenderSettings) -> bool:
        """Try a candidate, unless it was tried or the time is too short; return True and keep it when it is better."""
        if candidate in self._tried:
            return False
        began = time.monotonic()
        needed = 0.0 if self._trials[-1].solved(candidate) else self._solving_seconds
        if began - self._began + needed > self._seconds_max:
            return False
        self._tried.add(candidate)
        worths = self._judge(candidate)
        if needed:
            self._solving_seconds = time.monotonic() - began
        self.report()
        if worths.mean() <= self._worths.mean():
            return False
        self.best, self._worths = candidate, worths
        return True

    def along(self, name: str) -> None:
        """Walk one setting up, or down, from place to place while it gets better."""
        for up in (True, False):
            improved = False
            while self.improves(self._next(name, up=up)):
                improved = True
            if improved:
                return

    def _next(self, name: str, *, up: bool) -> RecommenderSettings:
        """Return the best settings with `name` at its next place, the ridge adapted to it; the same at the end."""
        here = getattr(self.best, name)
        there = [place for place in _PLACES[name] if (place > here if up else place < here)]
        if not there:
            return self.best
        change: dict[str, Any] = {name: min(there) if up else max(there)}
        moved = dataclasses.replace(self.best, **change)
        if name not in _SOLVED:
            return moved
        strength = self._trials[-1].strength
        return _with_ridge(moved, self.best.ridge * strength(self.best) / strength(moved))

    def along_ridge(self, step: float) -> None:
        """Walk the ridge up, or down, by factors of `step` while it gets better."""
        for factor in (step, 1.0 / step):
            improved = False
            while self.improves(_with_ridge(self.best, self.best.ridge * factor)):
                improved = True
            if improved:
                return


def _clearly_above_zero(gains: NDArray[np.float64]) -> bool:
    """Tell whether people's gains, float64 [people], are more than chance."""
    return bool(gains.mean() > _ERRORS * gains.std() / np.sqrt(len(gains)))


def _with_ridge(settings: RecommenderSettings, ridge: float) -> RecommenderSettings:
    """Return the settings with another ridge, rounded to two digits."""
    return dataclasses.replace(settings, ridge=float(np.clip(float(f"{ridge:.1e}"), 1e-3, 1e9)))
