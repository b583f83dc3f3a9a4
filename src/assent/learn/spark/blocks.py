"""Blocks of rows of a sum: cut, packed as bytes, added up, and joined to a sum."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.sums import ENTRY_MAX, PairSum
from assent.terms.errors import Corrupt, SumOverflow

#: The bytes of a block of a dense sum, about: many fit in memory at once.
BLOCK_BYTES: Final = 1 << 22
#: The least number of blocks (if there are as many items): every core has blocks to add up.
LEAST_BLOCKS: Final = 16
#: The largest number of blocks: each block of a sparse sum has many rows.
MOST_BLOCKS: Final = 2_048

#: The first bytes of every packed block.
MARK: Final = b"assent pair block"
_HEADER: Final = struct.Struct("<17sBxxIIQ")
_VERSION: Final = 2
#: The head of each array: its count of numbers, the stored bytes of each, and the count of separate numbers.
_ARRAY: Final = struct.Struct("<QBxxxI")
#: The bytes of a separate number: its place and the number.
_APART_BYTES: Final = 12
_ENTRY_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class SumBlock:
    """Rows `first` to `first + len(counts)` of an upper triangle of `columns` columns, as CSR arrays.

    `counts` int64 [rows]: the number of people with each item; `people`: of the whole sum. `starts` int64 [rows + 1],
    `indices` int32, `values` int64 above zero.
    """

    first: int
    columns: int
    people: int
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.int64]


def cut(columns: int) -> NDArray[np.int64]:
    """Return the bounds of the blocks of a sum, int64 [blocks + 1]: parts of its triangle of about equal size."""
    whole = columns * (columns + 1) // 2 * _ENTRY_BYTES
    blocks = min(max(-(-whole // BLOCK_BYTES), LEAST_BLOCKS), MOST_BLOCKS, max(columns, 1))
    shares = np.arange(blocks + 1) / blocks
    # The rows from `f n` on hold `(1 - f)^2` of the triangle.
    bounds = np.rint(columns * (1.0 - np.sqrt(1.0 - shares))).astype(np.int64)
    return np.unique(bounds) if columns else np.zeros(2, np.int64)


def blocks_of(total: PairSum, bounds: NDArray[np.int64]) -> Iterator[SumBlock]:
    """Yield every block of a sum, cut at `bounds`, int64 [blocks + 1], empty blocks too; their arrays are views."""
    starts, indices, values = total.arrays()
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        low, high = int(starts[first]), int(starts[last])
        yield SumBlock(
            first,
            total.columns,
            total.people,
            total.counts[first:last],
            starts[first : last + 1] - low,
            indices[low:high],
            values[low:high],
        )


def pack(block: SumBlock) -> bytes:
    """Return a block as bytes; each array takes as few bytes as its numbers need."""
    rows = np.arange(block.first, block.first + len(block.counts))
    # The first entry of a row is stored as its distance from the diagonal, each further one from the entry before it.
    steps = block.indices.astype(np.int64)
    steps[1:] -= block.indices[:-1]
    filled = np.flatnonzero(np.diff(block.starts))
    heads = block.starts[filled]
    steps[heads] = block.indices[heads] - rows[filled]
    head = _HEADER.pack(MARK, _VERSION, block.first, block.columns, block.people)
    lengths = np.diff(block.starts).astype(np.int64)
    arrays = (block.counts, lengths, steps, block.values)
    return b"".join((head, *(part for numbers in arrays for part in _narrow(numbers))))


def unpack(packed: bytes) -> SumBlock:
    """Read what `pack` wrote; raises `Corrupt` when it is cut short."""
    if len(packed) < _HEADER.size:
        raise _cut_short()
    mark, version, first, columns, people = _HEADER.unpack_from(packed)
    if (mark, version) != (MARK, _VERSION):
        raise _cut_short()
    arrays, at = [], _HEADER.size
    for _ in range(4):
        numbers, at = _widen(packed, at)
        arrays.append(numbers)
    counts, lengths, steps, values = arrays
    if at != len(packed) or len(counts) != len(lengths) or not lengths.sum() == len(steps) == len(values):
        raise _cut_short()
    starts = np.concatenate(([0], np.cumsum(lengths)))
    reached = np.cumsum(steps, dtype=np.int64)
    filled = np.flatnonzero(lengths)
    before = reached[starts[filled]] - steps[starts[filled]]
    indices = reached + np.repeat(first + filled - before, lengths[filled])
    return SumBlock(first, columns, people, counts, starts, indices.astype(np.int32), values)


def _narrow(numbers: NDArray[np.int64]) -> tuple[bytes, ...]:
    """Return whole numbers from zero on as bytes: the low bytes of each, and the few larger numbers separately.

    Nearly all steps take one byte and nearly all values three, but the largest take more; storing every number at that
    width would save nothing.
    """
    most = int(numbers.max(initial=0))
    sizes = {
        width: len(numbers) * width + _APART_BYTES * int(np.count_nonzero(numbers >> 8 * width))
        for width in range(1, -(-most.bit_length() // 8) + 1)
    }
    width = min(sizes, key=sizes.__getitem__, default=1)
    whole = numbers.astype("<i8")
    apart = np.flatnonzero(whole >> 8 * width)
    lowest = whole.view(np.uint8).reshape(-1, 8)[:, :width]
    head = _ARRAY.pack(len(whole), width, len(apart))
    return head, lowest.tobytes(), apart.astype("<u4").tobytes(), whole[apart].tobytes()


def _widen(packed: bytes, at: int) -> tuple[NDArray[np.int64], int]:
    """Return the numbers that `_narrow` wrote at a place, int64, and their end; raises `Corrupt` when cut short."""
    if len(packed) - at < _ARRAY.size:
        raise _cut_short()
    count, width, apart = _ARRAY.unpack_from(packed, at)
    at += _ARRAY.size
    at_apart = at + count * width
    end = at_apart + apart * _APART_BYTES
    if not 1 <= width <= 8 or end > len(packed):
        raise _cut_short()
    whole = np.zeros((count, 8), np.uint8)
    whole[:, :width] = np.frombuffer(packed, np.uint8, count * width, at).reshape(count, width)
    numbers: NDArray[np.int64] = whole.view("<i8").reshape(-1)
    places = np.frombuffer(packed, "<u4", apart, at_apart)
    if apart and int(places.max()) >= count:
        raise _cut_short()
    numbers[places] = np.frombuffer(packed, "<i8", apart, at_apart + 4 * apart)
    return numbers, end


def add(one: SumBlock, other: SumBlock) -> SumBlock:
    """Add two blocks of the same rows; raises `SumOverflow`.

    No entry of either is above 2^61, so their sum is exact; that the diagonal stays below 2^61 again proves it for
    every entry, because the sum is positive semi-definite (Cauchy-Schwarz).
    """
    shape = (len(one.counts), one.columns)
    total = scipy.sparse.csr_matrix((one.values, one.indices, one.starts), shape=shape) + scipy.sparse.csr_matrix(
        (other.values, other.indices, other.starts), shape=shape
    )
    starts = total.indptr.astype(np.int64)
    values = total.data
    heads = starts[:-1][np.diff(starts) > 0]
    if len(heads) and int(values[heads].max()) > ENTRY_MAX:
        raise SumOverflow("An entry of the sum would pass 2^61.")
    return SumBlock(
        one.first,
        one.columns,
        one.people + other.people,
        one.counts + other.counts,
        starts,
        total.indices.astype(np.int32, copy=False),
        values,
    )


def add_up(blocks: Iterable[SumBlock]) -> SumBlock:
    """Add up blocks of the same rows, at least one, in pairs of like weight; raises `SumOverflow`."""
    waiting: list[tuple[int, SumBlock]] = []
    for block in blocks:
        weight, total = 1, block
        while waiting and waiting[-1][0] == weight:
            weight, total = 2 * weight, add(waiting.pop()[1], total)
        waiting.append((weight, total))
    total = waiting.pop()[1]
    while waiting:
        total = add(waiting.pop()[1], total)
    return total


def sum_of_blocks(blocks: Sequence[SumBlock], columns: int) -> PairSum:
    """Return the sum of all of its blocks, in any order; raises `Corrupt` when they do not make one."""
    ordered = sorted(blocks, key=lambda block: block.first)
    ends = [block.first + len(block.counts) for block in ordered]
    people = {block.people for block in ordered}
    if [block.first for block in ordered] != [0, *ends[:-1]] or ends[-1:] != [columns] or len(people) != 1:
        raise Corrupt("The parts of the sum that came back do not belong together.", advice="Train again.")
    lengths = np.concatenate([np.diff(block.starts) for block in ordered])
    return PairSum.from_arrays(
        (
            np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            np.concatenate([block.indices for block in ordered]),
            np.concatenate([block.values for block in ordered]),
        ),
        np.concatenate([block.counts for block in ordered]).astype(np.int64),
        people.pop(),
    )


def _cut_short() -> Corrupt:
    return Corrupt("A part of the sum that came back cannot be read.", advice="Train again.")
