"""A cache of finished rows of weights: a row is made on its second use, and any change drops all rows."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: The memory of finished rows: all rows of 4,096 items in float32, the busiest ones of more.
_BYTES: Final = 1 << 26
#: Rows that are gathered at once for one person.
_GATHERED: Final = 64


class Weights(Protocol):
    """The source of rows: a matrix [columns, columns] that makes rows, or answers without making them."""

    def rows(self, items: NDArray[np.int32]) -> NDArray[Any]:
        """Return the rows `items`, int32 [k], as floats [k, columns]."""
        ...

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of the rows `items`, int32 [k], each times its weight, float64 [k]: floats [columns].

        It is far cheaper than making the rows.
        """
        ...

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t], floats [k, t]; cheaper than making rows."""
        ...


class WeightRows:
    """Finished rows of a matrix [columns, columns], within its memory.

    The first use of a row since the last change is answered without making it: in a model that changes often most rows
    would be dropped before their second use.
    """

    def __init__(self, columns: int, dtype: np.dtype[Any], weights: Weights) -> None:
        most = max(_BYTES // max(columns * dtype.itemsize, 1), _GATHERED)
        self._weights = weights
        self._shape = (min(most, columns), columns)
        self._dtype = dtype
        self._rows: NDArray[Any] | None = None
        self._gathered: NDArray[Any] = np.empty((min(_GATHERED, columns), columns), dtype)
        #: The place of each item's row, -1 for none.
        self._places: NDArray[np.int32] = np.full(columns, -1, np.int32)
        #: True for each item whose row was used since the last change.
        self._requested: NDArray[np.bool_] = np.zeros(columns, np.bool_)
        self._count = 0

    @property
    def whole(self) -> bool:
        """True when there is memory for the rows of all items."""
        return self._shape[0] == self._shape[1]

    def drop(self) -> None:
        """Drop all rows: their source has changed."""
        self._requested[:] = False
        self._clear()

    def _clear(self) -> None:
        self._places[:] = -1
        self._count = 0

    def _finish(self, items: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return the table of rows and the places of `items`, int32 [k], in it; `k` is within the memory."""
        if self._rows is None:
            self._rows = np.empty(self._shape, self._dtype)
        places = self._places[items]
        if len(places) and places.min() < 0:
            missing = items[places < 0]
            if self._count + len(missing) > len(self._rows):
                self._clear()
                missing = items
            end = self._count + len(missing)
            self._rows[self._count : end] = self._weights.rows(missing)
            self._places[missing] = np.arange(self._count, end, dtype=np.int32)
            self._count = end
            places = self._places[items]
        return self._rows, places

    def _requested_before(self, items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return a mask of the items, int32 [k], that were used before, bool [k], and mark all as used."""
        again = self._requested[items]
        self._requested[items] = True
        return again

    def times(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[Any]:
        """Return the sum of the rows of `items`, int32 [k], each times its weight, float64 [k]: floats [columns]."""
        again = self._requested_before(items)
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
        rows, places = self._finish(items)
        # Into an own buffer: new memory for each person costs more than the copying.
        gathered = rows.take(places, axis=0, out=self._gathered[: len(places)], mode="clip")
        product: NDArray[Any] = weights @ gathered
        return product

    def block(self, items: NDArray[np.int32], targets: NDArray[np.int32]) -> NDArray[Any]:
        """Return the entries at `items`, int32 [k], x `targets`, int32 [t], floats [k, t]."""
        entries: NDArray[Any] = np.empty((len(items), len(targets)), self._dtype)
        again = self._requested_before(items)
        if not again.all():
            entries[~again] = self._weights.block(items[~again], targets)
        finished = np.flatnonzero(again)
        for first in range(0, len(finished), _GATHERED):
            some = finished[first : first + _GATHERED]
            rows, places = self._finish(items[some])
            entries[some] = rows[places[:, None], targets]
        return entries

    def everything(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return all rows, floats [columns, columns], and the place of each item's row, int32 [columns].

        Only for a `whole` table.
        """
        every = np.arange(self._shape[1], dtype=np.int32)
        for first in range(0, len(every), _GATHERED):
            self._finish(every[first : first + _GATHERED])
        return self._finish(every)
