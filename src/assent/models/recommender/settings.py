"""The settings of the recommender; all of them are public."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput

DTYPES: Final = ("float32", "float64")
FORMS: Final = ("auto", "dense", "sparse")
#: The lowest octave of popularity (2^3 = 8 people): rarer items are all treated alike.
LOWEST_OCTAVE: Final = 3
#: The largest number of items behind an item's score in sparse form: the density of the weights.
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
    """The weights of people and the ridge and scale of items.

    `weight_exponent`: a person weighs `1 / influence^weight_exponent` (0: every pair alike, 1: every person alike).
    `ridge`: the number added to the diagonal, in units of one influence; EASE calls it regularization, and wherever
    settings are given by keyword `regularization` is another name for it. `popularity_exponent`: the ridge of an item
    is `ridge * octave^(2 * popularity_exponent)`, where `octave` is its number of people rounded down to a power of
    two, so that one person seldom moves it. `popularity_discount`: the scores of an item are divided by its number of
    people (at least 8, as a share of the mean) to this power, which favors rarer items.

    `neighbour_share`: the share of a score that comes from the sum itself instead of its inverse (0: none). There, an
    item of the person is discounted by its number of people to the power `input_discount`, and the scored item by its
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
        """Raise `InvalidInput` for numbers without a model."""
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
        """Return the ridge of each item, float64 [n], given its number of people, int64 [n]."""
        scaled: NDArray[np.float64] = self.ridge * np.exp2(octaves_of(counts) * (2.0 * self.popularity_exponent))
        return scaled

    def scales(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the scale of each item's scores, float64 [n], given its number of people, int64 [n]."""
        scales: NDArray[np.float64] = shares_of(counts) ** -self.popularity_discount
        return scales


def octaves_of(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the octave of each item, int32 [n]: the power of two below its number of people, `counts` int64 [n]."""
    octaves: NDArray[np.int32] = np.maximum(np.frexp(counts.astype(np.float64))[1] - 1, LOWEST_OCTAVE)
    return octaves


def shares_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each item's number of people (at least 8) over the mean, float64 [n]; `counts` int64 [n]."""
    shares: NDArray[np.float64] = np.maximum(counts, 1 << LOWEST_OCTAVE) / mean_count(counts)
    return shares


def mean_count(counts: NDArray[np.int64]) -> float:
    """Return the mean of `counts`, int64 [n], over items with at least one person; 1 without any."""
    return int(counts.sum()) / max(int(np.count_nonzero(counts)), 1) or 1.0


def _is_number(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)


#: The default settings.
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

    Raises `InvalidInput` for numbers without a model, and for a ridge that is given by both of its names.
    """
    named: dict[str, Any] = {**changes}
    if "regularization" in named:
        if "ridge" in named:
            raise InvalidInput("ridge and regularization are two names of one setting.", advice="Give one of them.")
        named["ridge"] = named.pop("regularization")
    return replace(settings, **named) if named else settings
