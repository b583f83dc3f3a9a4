"""The nearest items of an item: the largest entries of its row of the sum, rarer items favored."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Fills the places of an item that has fewer neighbors than places.
NO_ITEM: Final = -1
#: Entries of one padded piece while the largest of many rows are found.
_PIECE_ENTRIES: Final = 1 << 21


def nearest(
    starts: NDArray[np.int64], indices: NDArray[np.int32], closeness: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the `count` entries of largest `closeness` of each CSR row, int32 [rows, count], ascending by item.

    Also returns the smallest closeness among them, float64 [rows], 0 where a row has at most `count` entries. Rows with
    fewer entries end in `NO_ITEM`. Of equal entries the first are taken, so that the same row gives the same neighbors
    everywhere. `starts` int64 [rows + 1]; `indices` int32 [entries], ascending within a row; `closeness` float64
    [entries], above zero.
    """
    lengths = np.diff(starts)
    chosen = np.full((len(lengths), count), NO_ITEM, np.int32)
    edges = np.zeros(len(lengths))
    short = np.flatnonzero(lengths <= count)
    for rows, width in [(short, count), *_pieces(lengths, count)]:
        places = starts[rows][:, None] + np.arange(width)
        there = np.arange(width) < lengths[rows][:, None]
        places[~there] = 0
        if width == count:
            chosen[rows] = np.where(there, indices[places] if len(indices) else NO_ITEM, NO_ITEM)
        else:
            kept, edges[rows] = _largest(np.where(there, closeness[places], -np.inf), count)
            chosen[rows] = indices[places[kept]].reshape(len(rows), count)
    return chosen, edges


def _pieces(lengths: NDArray[np.int64], count: int) -> list[tuple[NDArray[np.intp], int]]:
    """Put rows longer than `count` together by length, to within a quarter, in pieces that fit in the cache."""
    longer = np.flatnonzero(lengths > count)
    longer = longer[np.argsort(lengths[longer], kind="stable")]
    pieces = []
    first = 0
    while first < len(longer):
        widest = int(lengths[longer[first]]) * 5 // 4
        fits = max(_PIECE_ENTRIES // widest, 1)
        last = min(first + fits, int(np.searchsorted(lengths[longer], widest, side="right")))
        rows = longer[first:last]
        pieces.append((rows, int(lengths[rows[-1]])))
        first = last
    return pieces


def _largest(closeness: NDArray[np.float64], count: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Mark the `count` largest of each row of [rows, width >= count], of equal ones the first; return the least too."""
    width = closeness.shape[1]
    edge = np.partition(closeness, width - count, axis=1)[:, width - count][:, None]
    above = closeness > edge
    level = closeness == edge
    free = count - above.sum(axis=1)
    kept: NDArray[np.bool_] = above | (level & (np.cumsum(level, axis=1, dtype=np.int32) <= free[:, None]))
    return kept, edge[:, 0]
