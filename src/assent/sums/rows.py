"""One row of a pair sum: sorted item numbers and whole numbers, its arithmetic, and its one stored form."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import Corrupt

_HEADER: Final = struct.Struct("<BBBxI")
_VERSION: Final = 1
_INT32_MAX: Final = 2**31 - 1
_UINT16_MAX: Final = 2**16 - 1


class Row(NamedTuple):
    """Row `i` of an upper triangle: `indices` int32 ascending from `i` on, `values` int64 above zero."""

    indices: NDArray[np.int32]
    values: NDArray[np.int64]


EMPTY: Final = Row(np.empty(0, np.int32), np.empty(0, np.int64))


def added(row: Row, indices: NDArray[np.int32], values: NDArray[np.int64]) -> Row:
    """Return `row` plus the given entries (sorted, unique), as new arrays."""
    places = np.searchsorted(row.indices, indices)
    known = _known(row.indices, places, indices)
    if known.all():
        total = row.values.copy()
        total[places] += values
        return Row(row.indices, total)
    fresh = ~known
    union = np.insert(row.indices, places[fresh], indices[fresh])
    total = np.insert(row.values, places[fresh], values[fresh])
    # Every new entry before a known one moved it one place on.
    total[(places + np.cumsum(fresh))[known]] += values[known]
    return Row(union, total)


def taken(row: Row, indices: NDArray[np.int32], values: NDArray[np.int64]) -> Row | None:
    """Return `row` minus the given entries, without zeros; `None` when an entry is absent or would go below zero."""
    places = np.searchsorted(row.indices, indices)
    if not _known(row.indices, places, indices).all():
        return None
    rest = row.values[places] - values
    lowest = rest.min(initial=1)
    if lowest < 0:
        return None
    total = row.values.copy()
    total[places] = rest
    if lowest > 0:
        return Row(row.indices, total)
    kept = total > 0
    return Row(row.indices[kept], total[kept])


def _known(held: NDArray[np.int32], places: NDArray[np.intp], indices: NDArray[np.int32]) -> NDArray[np.bool_]:
    if not len(held):
        return np.zeros(len(indices), np.bool_)
    found: NDArray[np.bool_] = held[np.minimum(places, len(held) - 1)] == indices
    return found


def pack(row: Row) -> bytes:
    """Return the one stored form of a row: equal rows give equal bytes, and entries take as few bytes as they need."""
    count = len(row.indices)
    steps = np.diff(row.indices, prepend=np.int32(0))
    step_bytes = 2 if not count or int(steps.max()) <= _UINT16_MAX else 4
    value_bytes = 4 if not count or int(row.values.max()) <= _INT32_MAX else 8
    head = _HEADER.pack(_VERSION, step_bytes, value_bytes, count)
    return head + steps.astype(f"<u{step_bytes}").tobytes() + row.values.astype(f"<i{value_bytes}").tobytes()


def unpack(item: int, stored: bytes, columns: int) -> Row:
    """Read the form that `pack` wrote for row `item`; raises `Corrupt` when it is not exactly that."""
    message = f"The stored row {item} of a sum cannot be read."
    if len(stored) < _HEADER.size:
        raise Corrupt(message)
    version, step_bytes, value_bytes, count = _HEADER.unpack_from(stored)
    if version != _VERSION or step_bytes not in (2, 4) or value_bytes not in (4, 8):
        raise Corrupt(message)
    split = _HEADER.size + count * step_bytes
    if len(stored) != split + count * value_bytes:
        raise Corrupt(message)
    indices = np.cumsum(np.frombuffer(stored, f"<u{step_bytes}", count, _HEADER.size), dtype=np.int64)
    row = Row(indices.astype(np.int32), np.frombuffer(stored, f"<i{value_bytes}", count, split).astype(np.int64))
    ascends = bool((indices[1:] > indices[:-1]).all())
    if count and (indices[0] != item or not ascends or indices[-1] >= columns or row.values.min() < 1):
        raise Corrupt(message)
    if pack(row) != stored:
        raise Corrupt(message)
    return row
