"""Finished rows of weights: made when they are asked for again, dropped together when anything changes."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: How much memory finished rows take at most: all rows of 4,096 items in float32, the busiest ones of more.
_BYTES: Final = 1 << 26
#: Rows that are gathered at once for one person.
_GATHERED: Final = 64


class Weights(Protocol):
    """What rows are made of: a matrix [columns, columns] that finishes rows, or answers without."""

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return the rows `items`, int32 [k], as floats [k, columns]."""
        ...

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of the rows `items`, int32 [k], each times its weight, float64 [k]: floats [columns].

        It is far cheaper than making them.
        """
        ...

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t], floats [k, t]; cheaper than making rows."""
        ...


class WeightRows:
    """Rows of a matrix [columns, columns], as far as memory allows.

    Whoever asks first for a row since the last change is answered without it: in a model that changes often most rows
    would be dropped before they are asked for again.
    """

    def __init__(self, columns: int, dtype: np.dtype[Any], weights: Weights) -> None:
        """Hold no row yet."""
        most = max(_BYTES // max(columns * dtype.itemsize, 1), _GATHERED)
        self._weights = weights
        self._shape = (min(most, columns), columns)
        self._dtype = dtype
        self._rows: NDArray[Any] | None = None
        self._gathered: NDArray[Any] = np.empty((min(_GATHERED, columns), columns), dtype)
        #: Where the row of each item is, -1 for nowhere.
        self._places: NDArray[np.int32] = np.full(columns, -1, np.int32)
        #: Whether somebody asked for the row of each item since anything changed.
        self._asked: NDArray[np.bool_] = np.zeros(columns, np.bool_)
        self._held = 0

    @property
    def whole(self) -> bool:
        """Whether there is memory for the rows of all items."""
        return self._shape[0] == self._shape[1]

    def drop(self) -> None:
        """Drop all rows: what they were made of has changed."""
        self._asked[:] = False
        self._let_go()

    def _let_go(self) -> None:
        self._places[:] = -1
        self._held = 0

    def _hold(self, items: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return the table of rows and where the rows of `items` are in it; no more items than there is memory for."""
        if self._rows is None:
            self._rows = np.empty(self._shape, self._dtype)
        places = self._places[items]
        if len(places) and places.min() < 0:
            missing = items[places < 0]
            if self._held + len(missing) > len(self._rows):
                self._let_go()
                missing = items
            end = self._held + len(missing)
            self._rows[self._held : end] = self._weights.rows(missing)
            self._places[missing] = np.arange(self._held, end, dtype=np.int32)
            self._held = end
            places = self._places[items]
        return self._rows, places

    def _asked_again(self, items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell for which items somebody asked before, and note that somebody asks now."""
        again = self._asked[items]
        self._asked[items] = True
        return again

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of the rows of `items`, int32 [k], each times its weight, float64 [k]: floats [columns]."""
        again = self._asked_again(items)
        if again.all():
            total: NDArray[Any] = np.zeros(self._shape[1], self._dtype)
        else:
            total = self._weights.times(items[~again], weights[~again])
            items, weights = items[again], weights[again]
        typed = weights.astype(self._dtype)
        for first in range(0, len(items), _GATHERED):
            total += self._times(items[first : first + _GATHERED], typed[first : first + _GATHERED])
        return total

    def _times(self, items: NDArray[np.int32], weights: NDArray[Any]) -> NDArray[Any]:
        rows, places = self._hold(items)
        # Into a buffer of our own: fresh memory for each person costs more than the copying.
        gathered = rows.take(places, axis=0, out=self._gathered[: len(places)], mode="clip")
        product: NDArray[Any] = weights @ gathered
        return product

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t], floats [k, t]."""
        told: NDArray[Any] = np.empty((len(items), len(targets)), self._dtype)
        again = self._asked_again(items)
        if not again.all():
            told[~again] = self._weights.block(items[~again], targets)
        held = np.flatnonzero(again)
        for first in range(0, len(held), _GATHERED):
            some = held[first : first + _GATHERED]
            rows, places = self._hold(items[some])
            told[some] = rows[places[:, None], targets]
        return told

    def everything(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return all rows, floats [columns, columns], and where the row of each item is, int32 [columns].

        Only where there is memory for the `whole`.
        """
        every = np.arange(self._shape[1], dtype=np.int32)
        for first in range(0, len(every), _GATHERED):
            self._hold(every[first : first + _GATHERED])
        return self._hold(every)
