"""One row of a pair sum: sorted item numbers and whole numbers, its arithmetic, and its one stored form."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import Corrupt

_HEADER: Final = struct.Struct("<BBBxI")
_VERSION: Final = 1
_LARGEST_INT32: Final = 2**31 - 1
_LARGEST_UINT16: Final = 2**16 - 1


class Row(NamedTuple):
    """Row `i` of an upper triangle: `indices` int32 ascending from `i` on, `values` int64 above zero."""

    indices: NDArray[np.int32]
    values: NDArray[np.int64]


EMPTY: Final = Row(np.empty(0, np.int32), np.empty(0, np.int64))


def side_by_side(rows: Sequence[Row]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Join rows into new CSR arrays: starts int64 [rows + 1], indices int32 [entries] and values int64 [entries]."""
    starts = np.cumsum([0, *(len(row.indices) for row in rows)], dtype=np.int64)
    indices = np.concatenate([EMPTY.indices, *(row.indices for row in rows)])
    return starts, indices, np.concatenate([EMPTY.values, *(row.values for row in rows)])


def looked_up(row: Row, indices: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the places of columns, int32 [k] ascending, in `row`, intp [k], and their values, int64 [k], 0 if absent.

    The place of an absent column is where it would be inserted.
    """
    places = row.indices.searchsorted(indices)
    if not len(row.indices):
        return places, np.zeros(len(indices), np.int64)
    values = row.values.take(places, mode="clip")
    values[row.indices.take(places, mode="clip") != indices] = 0
    return places, values


def assigned(
    row: Row,
    indices: NDArray[np.int32],
    values: NDArray[np.int64],
    found: tuple[NDArray[np.intp], NDArray[np.int64]] | None = None,
) -> Row:
    """Return `row` with entries set, as new arrays: columns int32 [k] ascending, values int64 [k]; zero takes one out.

    `found` is the answer of `looked_up` for these columns, if the caller has it: intp [k] and int64 [k].
    """
    places, before = looked_up(row, indices) if found is None else found
    union, total = row.indices, row.values.copy()
    if not before.all():
        fresh = before == 0
        # Every new entry before another moves it one place on.
        places = places + np.cumsum(fresh) - fresh
        old = np.ones(len(union) + int(fresh.sum()), np.bool_)
        old[places[fresh]] = False
        union, total = np.empty(len(old), np.int32), np.empty(len(old), np.int64)
        union[old], total[old] = row.indices, row.values
        union[places] = indices
    total[places] = values
    if values.all():
        return Row(union, total)
    kept = np.ones(len(total), np.bool_)
    kept[places[values == 0]] = False
    return Row(union[kept], total[kept])


def added(row: Row, indices: NDArray[np.int32], values: NDArray[np.int64]) -> Row:
    """Return `row` plus the given entries, as new arrays: columns int32 [k] ascending, values int64 [k]."""
    found = looked_up(row, indices)
    return assigned(row, indices, found[1] + values, found)


def pack(row: Row) -> bytes:
    """Return the one stored form of a row: equal rows give equal bytes, and entries take as few bytes as they need."""
    count = len(row.indices)
    steps = np.diff(row.indices, prepend=np.int32(0))
    step_bytes = 2 if not count or int(steps.max()) <= _LARGEST_UINT16 else 4
    value_bytes = 4 if not count or int(row.values.max()) <= _LARGEST_INT32 else 8
    head = _HEADER.pack(_VERSION, step_bytes, value_bytes, count)
    return head + steps.astype(f"<u{step_bytes}").tobytes() + row.values.astype(f"<i{value_bytes}").tobytes()


def unpack(item: int, stored: bytes, columns: int) -> Row:
    """Read the form that `pack` wrote for row `item`; raises `Corrupt` when it is not exactly that."""
    if len(stored) < _HEADER.size:
        raise _unreadable(item)
    version, step_bytes, value_bytes, count = _HEADER.unpack_from(stored)
    if version != _VERSION or step_bytes not in (2, 4) or value_bytes not in (4, 8):
        raise _unreadable(item)
    split = _HEADER.size + count * step_bytes
    if len(stored) != split + count * value_bytes:
        raise _unreadable(item)
    indices = np.cumsum(np.frombuffer(stored, f"<u{step_bytes}", count, _HEADER.size), dtype=np.int64)
    row = Row(indices.astype(np.int32), np.frombuffer(stored, f"<i{value_bytes}", count, split).astype(np.int64))
    ascends = bool((indices[1:] > indices[:-1]).all())
    if count and (indices[0] != item or not ascends or indices[-1] >= columns or row.values.min() < 1):
        raise _unreadable(item)
    if pack(row) != stored:
        raise _unreadable(item)
    return row


def _unreadable(item: int) -> Corrupt:
    return Corrupt(f"The stored row {item} of a sum cannot be read.")
