"""What a row in place of another does to the rows below the diagonal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assent.sums.rows import Row, looked_up


def differences(item: int, before: Row, after: Row) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
    """Yield what the entries right of the diagonal of row `item` become where the two differ, one by one.

    Each is named as an entry below the diagonal: its row, the column `item`, and its value, zero for none.
    """
    union = np.union1d(before.indices, after.indices)
    values = looked_up(after, union)[1]
    column = np.array([item], np.int32)
    for place in np.flatnonzero((values != looked_up(before, union)[1]) & (union > item)).tolist():
        yield int(union[place]), column, values[place : place + 1]
