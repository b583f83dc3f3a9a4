"""What a change does to the rows of an upper triangle: one person's coming or leaving, or a row in place of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assent.sums.contribution import Contribution
from assent.sums.rows import Row, assigned, looked_up


class PersonChange:
    """The entries of a person's pairs after they came (`sign` 1) or left (-1), looked up in all their rows at once.

    `rows` are those of the person's items. `after` is int64 [k, k], zero below the diagonal; below zero is what was
    taken without being there.
    """

    __slots__ = ("_found", "_items", "after", "rows")

    def __init__(self, contribution: Contribution, rows: Sequence[Row], sign: int) -> None:
        """Look the entries up; nothing changes."""
        self.rows = rows
        self._items = contribution.items
        values = contribution.values.astype(np.int64)
        self.after = np.triu((sign * contribution.weight * values)[:, None] * values)
        self._found = []
        for place, row in enumerate(rows):
            found = looked_up(row, self._items[place:])
            self._found.append(found)
            self.after[place, place:] += found[1]

    def fresh_rows(self) -> Iterator[Row]:
        """Yield each row as it is after the change."""
        for place, (row, found) in enumerate(zip(self.rows, self._found, strict=True)):
            yield assigned(row, self._items[place:], self.after[place, place:], found)


def differences(item: int, before: Row, after: Row) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
    """Yield what the entries right of the diagonal of row `item` become where the two differ, one by one.

    Each is named as an entry below the diagonal: its row, the column `item`, and its value, zero for none.
    """
    union = np.union1d(before.indices, after.indices)
    values = looked_up(after, union)[1]
    column = np.array([item], np.int32)
    for place in np.flatnonzero((values != looked_up(before, union)[1]) & (union > item)).tolist():
        yield int(union[place]), column, values[place : place + 1]
