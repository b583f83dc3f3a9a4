"""The few numbers that shape the recommender; all of them are public."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput

DTYPES: Final = ("float32", "float64")
FORMS: Final = ("auto", "dense", "sparse")
#: Popularity is told apart from this octave on (2^3 = 8 people): rarer items are all treated alike.
LOWEST_OCTAVE: Final = 3
#: How many items the score of an item is made of in sparse form, at most: the density of the weights.
NEIGHBOURS: Final = 64

_RANGES: Final = (
    ("weight_exponent", 0.0, 1.0),
    ("ridge", 1e-6, 1e12),
    ("popularity_exponent", 0.0, 1.0),
    ("popularity_discount", -1.0, 1.0),
    ("neighbour_share", 0.0, 1.0),
    ("input_discount", -1.0, 1.0),
    ("neighbour_discount", -1.0, 1.0),
)


@dataclass(frozen=True, slots=True)
class RecommenderSettings:
    """How people are weighed and how strongly each item is held back.

    `weight_exponent`: a person weighs `1 / influence^weight_exponent` (0: every pair alike, 1: every person alike).
    `ridge`: what is added to the diagonal, in units of one influence; EASE calls it regularization, and wherever
    settings are given by keyword `regularization` is another name for it. `popularity_exponent`: the ridge of an item
    is `ridge * octave^(2 * popularity_exponent)`, where `octave` is its number of people rounded down to a power of
    two, so that one person seldom moves it. `popularity_discount`: the scores of an item are divided by its number of
    people (at least 8, as a share of the mean) to this power, which lets rarer items through.

    `neighbour_share`: how much of a score comes from the sum itself instead of from its inverse (0: nothing). There,
    what a person holds counts less by its number of people to the power `input_discount`, and what is scored by its
    number to the power `neighbour_discount`. `dtype`: of the inverse and of the scores of many. `form`: "dense" takes
    all items at once, "sparse" each item's nearest alone; "auto" is dense as long as that fits.
    """

    weight_exponent: float = 0.5
    ridge: float = 25.0
    popularity_exponent: float = 0.125
    popularity_discount: float = 0.25
    neighbour_share: float = 0.3
    input_discount: float = 0.4
    neighbour_discount: float = 0.6
    dtype: str = "float32"
    form: str = "auto"

    def __post_init__(self) -> None:
        """Refuse, with `InvalidInput`, numbers for which there is no model."""
        for name, low, high in _RANGES:
            number = getattr(self, name)
            if not (_is_number(number) and low <= number <= high):
                raise InvalidInput(f"{name} is a number from {low:g} to {high:g}.")
        if (self.weight_exponent * 8) % 1:
            raise InvalidInput("weight_exponent is a multiple of 1/8: such powers come out the same on every machine.")
        if self.dtype not in DTYPES:
            raise InvalidInput(f"dtype is one of {', '.join(DTYPES)}.")
        if self.form not in FORMS:
            raise InvalidInput(f"form is one of {', '.join(FORMS)}.")

    def ridges(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what is added to the diagonal of each item, float64 [n], given how many people hold it."""
        octaves = np.maximum(np.frexp(counts.astype(np.float64))[1] - 1, LOWEST_OCTAVE)
        scaled: NDArray[np.float64] = self.ridge * np.exp2(octaves * (2.0 * self.popularity_exponent))
        return scaled

    def scales(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the scores of each item are multiplied by, float64 [n], given how many people hold it."""
        shares = np.maximum(counts, 1 << LOWEST_OCTAVE) / mean_count(counts)
        scales: NDArray[np.float64] = shares**-self.popularity_discount
        return scales


def mean_count(counts: NDArray[np.int64]) -> float:
    """Return how many people hold an item, given `counts`, int64 [n]: the mean over items that are held, 1 for none."""
    return int(counts.sum()) / max(int(np.count_nonzero(counts)), 1) or 1.0


def _is_number(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


#: The settings that hold where none are given.
DEFAULT: Final = RecommenderSettings()


class SettingKeywords(TypedDict, total=False):
    """The settings by keyword, as `Recommender` takes them; `regularization` is `ridge` in EASE's own word."""

    weight_exponent: float
    ridge: float
    regularization: float
    popularity_exponent: float
    popularity_discount: float
    neighbour_share: float
    input_discount: float
    neighbour_discount: float
    dtype: str
    form: str


def changed(settings: RecommenderSettings, **changes: Unpack[SettingKeywords]) -> RecommenderSettings:
    """Return `settings` with some of them replaced.

    Raises `InvalidInput` for numbers for which there is no model, and for a ridge that is given by both of its names.
    """
    named: dict[str, Any] = {**changes}
    if "regularization" in named:
        if "ridge" in named:
            raise InvalidInput("ridge and regularization are two names of one setting.", advice="Give one of them.")
        named["ridge"] = named.pop("regularization")
    return replace(settings, **named) if named else settings
