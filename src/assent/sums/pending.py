"""People who were added or removed and are not in the rows of a sum yet: short lists in place of long rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import Contribution

#: People who are kept aside until the rows are written. More of them make each reading slower, and the last change
#: waits longer; fewer of them mean that rows which they share are written more often.
PENDING_PEOPLE: Final = 8


class PendingPeople:
    """The matrix `sum_t scale_t v_t v_t'` over people `t`; `scale_t` is their weight, negative for a removed person."""

    __slots__ = ("_items", "_owners", "_scales", "_values")

    def __init__(self) -> None:
        self._items: NDArray[np.int32] = np.empty(0, np.int32)
        self._values: NDArray[np.int64] = np.empty(0, np.int64)
        self._owners: NDArray[np.intp] = np.empty(0, np.intp)
        self._scales: NDArray[np.int64] = np.empty(0, np.int64)

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self._scales)

    def joined(self, contribution: Contribution, sign: int) -> PendingPeople:
        """Return these people and one more, added (`sign` 1) or removed (-1)."""
        more, owner = PendingPeople(), np.full(len(contribution.items), len(self), np.intp)
        more._items = np.concatenate((self._items, contribution.items))
        more._values = np.concatenate((self._values, contribution.values))
        more._owners = np.concatenate((self._owners, owner))
        more._scales = np.concatenate((self._scales, np.array([sign * contribution.weight], np.int64)))
        return more

    def block(self, items: NDArray[np.int32], chosen: NDArray[np.intp] | slice) -> NDArray[np.int64]:
        """Return the `chosen` rows (intp [c] or a slice) of the matrix at pairs of `items`, int32 [k]: int64 [c, k]."""
        places = items.searchsorted(self._items)
        theirs = np.flatnonzero(items.take(places, mode="clip") == self._items) if len(items) else places[:0]
        values = np.zeros((len(self), len(items)), np.int64)
        values[self._owners[theirs], places[theirs]] = self._values[theirs]
        block: NDArray[np.int64] = (values[:, chosen].T * self._scales) @ values
        return block

    def upper(self, columns: int) -> tuple[NDArray[np.int32], Any]:
        """Return the items of these people, int32 [k] ascending, and their rows of the triangle, CSR [k, columns]."""
        touched, places = np.unique(self._items, return_inverse=True)
        shape = (len(self), len(touched))
        values: Any = scipy.sparse.csr_matrix((self._values, (self._owners, places)), shape, dtype=np.int64)
        scaled: Any = scipy.sparse.csr_matrix(
            (self._values * self._scales[self._owners], (places, self._owners)), shape[::-1], dtype=np.int64
        )
        # Symmetric: its columns, which come out sorted, are its rows.
        whole = (scaled @ values).tocsc()
        upper = whole.indices >= np.repeat(np.arange(len(touched)), np.diff(whole.indptr))
        starts = np.concatenate(([0], np.cumsum(upper)))[whole.indptr]
        entries = (whole.data[upper], touched[whole.indices[upper]], starts)
        return touched, scipy.sparse.csr_matrix(entries, (len(touched), columns))
