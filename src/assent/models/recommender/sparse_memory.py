"""Whether a large sum and its sparse weights fit: asked before anything large is allocated."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np

from assent.models.recommender.memory import available_bytes, size_of
from assent.models.recommender.sparse_solving import BLOCK_ENTRIES, NEIGHBOURS
from assent.terms.errors import NotEnoughMemory

#: One pair of the sum: an int32 and an int64; and as much again while blocks are put together.
_PAIR_BYTES: Final = 12
#: One entry of the weights: by column and by row, number and weight; and their copies while rows are made.
_WEIGHT_BYTES: Final = 40
#: One entry of a row while neighbours are chosen.
_CHOOSING_BYTES: Final = 80


def pairs_at_most(matrix: Any) -> int:
    """Return how many pairs the sum over a CSR [people, items] can hold: never less than it does."""
    held = np.diff(matrix.indptr).astype(np.int64)
    columns = int(matrix.shape[1])
    return min(int((held * (held + 1) // 2).sum()), columns * (columns + 1) // 2)


def sparse_bytes(columns: int, pairs: int) -> int:
    """Return the bytes that solving a sparse model takes beside its sum of `pairs` pairs, at its peak."""
    workers = os.cpu_count() or 1
    return columns * NEIGHBOURS * _WEIGHT_BYTES + workers * min(BLOCK_ENTRIES, 2 * pairs) * _CHOOSING_BYTES


def refuse_if_too_large(columns: int, pairs: int, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory`, with the figures, when sparse weights beside a sum of `pairs` pairs do not fit."""
    _refuse(sparse_bytes(columns, pairs), memory_bytes, f"A sparse model over {columns} items")


def refuse_if_too_many_pairs(matrix: Any, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory` when the sum over a CSR [people, items] and its sparse weights may not fit."""
    pairs = pairs_at_most(matrix)
    columns = int(matrix.shape[1])
    needed = pairs * _PAIR_BYTES + sparse_bytes(columns, pairs)
    _refuse(needed, memory_bytes, f"A sum of up to {pairs} pairs, and a sparse model over {columns} items,")


def _refuse(needed: int, memory_bytes: int | None, what: str) -> None:
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    message = f"{what} takes {size_of(needed)}; {size_of(available)} are free."
    advice = "Keep fewer items of the people who hold the most (pairs grow with the square), or fewer items."
    raise NotEnoughMemory(message, advice=f"{advice} Nothing was allocated.")
