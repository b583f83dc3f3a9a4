"""People whose coming or leaving is not yet in the rows of a sum: a few short lists in place of many long rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums.contribution import Contribution

#: So many people wait before the rows are brought up to date: each of them costs the readers of the sum a little, and
#: whoever comes last waits for the rows of all of them; yet rows that many of them share are made anew only once.
LATE_MAX: Final = 8


class Late:
    """The matrix `sum_t scale_t v_t v_t'` over people `t` who came (`scale_t` their weight) or left (its negative)."""

    __slots__ = ("_items", "_owners", "_scales", "_values")

    def __init__(self) -> None:
        """Hold nobody."""
        self._items: NDArray[np.int32] = np.empty(0, np.int32)
        self._values: NDArray[np.int64] = np.empty(0, np.int64)
        self._owners: NDArray[np.intp] = np.empty(0, np.intp)
        self._scales: NDArray[np.int64] = np.empty(0, np.int64)

    def __len__(self) -> int:
        """Return the number of people."""
        return len(self._scales)

    def joined(self, contribution: Contribution, sign: int) -> Late:
        """Return these people and one more."""
        more, owner = Late(), np.full(len(contribution.items), len(self), np.intp)
        more._items = np.concatenate((self._items, contribution.items))
        more._values = np.concatenate((self._values, contribution.values))
        more._owners = np.concatenate((self._owners, owner))
        more._scales = np.concatenate((self._scales, np.array([sign * contribution.weight], np.int64)))
        return more

    def block(self, items: NDArray[np.int32], chosen: NDArray[np.intp] | slice) -> NDArray[np.int64]:
        """Return the `chosen` rows of the entries of the matrix at pairs of `items`, ascending, int64 [c, k]."""
        places = items.searchsorted(self._items)
        theirs = np.flatnonzero(items.take(places, mode="clip") == self._items) if len(items) else places[:0]
        held = np.zeros((len(self), len(items)), np.int64)
        held[self._owners[theirs], places[theirs]] = self._values[theirs]
        block: NDArray[np.int64] = (held[:, chosen].T * self._scales) @ held
        return block

    def upper(self, columns: int) -> tuple[NDArray[np.int32], Any]:
        """Return the items that anybody holds, ascending, and their rows of the upper triangle, CSR [k, columns]."""
        touched, places = np.unique(self._items, return_inverse=True)
        shape = (len(self), len(touched))
        held: Any = scipy.sparse.csr_matrix((self._values, (self._owners, places)), shape, dtype=np.int64)
        scaled: Any = scipy.sparse.csr_matrix(
            (self._values * self._scales[self._owners], (places, self._owners)), shape[::-1], dtype=np.int64
        )
        # Symmetric: its columns, which come out sorted, are its rows.
        whole = (scaled @ held).tocsc()
        upper = whole.indices >= np.repeat(np.arange(len(touched)), np.diff(whole.indptr))
        starts = np.concatenate(([0], np.cumsum(upper)))[whole.indptr]
        entries = (whole.data[upper], touched[whole.indices[upper]], starts)
        return touched, scipy.sparse.csr_matrix(entries, (len(touched), columns))
