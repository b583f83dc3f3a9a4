"""Cutting a sum into blocks of rows that travel as bytes, adding blocks up, and putting a sum together from them."""

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

#: A block of a dense sum takes about this much: small enough for many to be in memory at once.
BLOCK_BYTES: Final = 1 << 22
#: At least so many blocks (while there are as many items), so that adding them up keeps every core busy.
BLOCKS_MIN: Final = 16
#: At most so many: of a sparse sum each then holds many rows.
BLOCKS_MAX: Final = 2_048

#: Every packed block begins with it.
MARK: Final = b"assent pair block"
_HEADER: Final = struct.Struct("<17sBBxIIIQQ")
_VERSION: Final = 2
#: Quicker than what it saves: Java copies bytes from place to place.
_CODEC: Final = "lz4"
_ENTRY_BYTES: Final = 12
_UINT16_MAX: Final = 2**16 - 1
_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Block:
    """Rows `first` to `first + len(counts)` of an upper triangle of `columns` columns, as CSR arrays.

    `counts` int64 [rows]: how many people hold each item; `people`: how many are in the whole sum. `starts` int64
    [rows + 1], `indices` int32, `values` int64 above zero.
    """

    first: int
    columns: int
    people: int
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.int64]


def cut(columns: int) -> NDArray[np.int64]:
    """Return where the blocks of a sum begin and end, int64 [blocks + 1]: parts of its triangle of about equal size."""
    whole = columns * (columns + 1) // 2 * _ENTRY_BYTES
    blocks = min(max(-(-whole // BLOCK_BYTES), BLOCKS_MIN), BLOCKS_MAX, max(columns, 1))
    shares = np.arange(blocks + 1) / blocks
    # The rows from `f n` on hold `(1 - f)^2` of the triangle.
    bounds = np.rint(columns * (1.0 - np.sqrt(1.0 - shares))).astype(np.int64)
    return np.unique(bounds) if columns else np.zeros(2, np.int64)


def blocks_of(total: PairSum, bounds: NDArray[np.int64]) -> Iterator[Block]:
    """Yield every block of a sum, the empty ones too; their arrays are views."""
    starts, indices, values = total.arrays()
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        low, high = int(starts[first]), int(starts[last])
        yield Block(
            first,
            total.columns,
            total.people,
            total.counts[first:last],
            starts[first : last + 1] - low,
            indices[low:high],
            values[low:high],
        )


def pack(block: Block) -> bytes:
    """Return a block as bytes: entries take as few as they need, and what repeats among them is written once."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    rows = np.arange(block.first, block.first + len(block.counts))
    # The first entry of a row is told by its distance from the diagonal, each further one from the entry before it.
    steps = np.diff(block.indices.astype(np.int64), prepend=0)
    held = np.flatnonzero(np.diff(block.starts))
    heads = block.starts[held]
    steps[heads] = block.indices[heads] - rows[held]
    step_bytes = 2 if int(steps.max(initial=0)) <= _UINT16_MAX else 4
    value_bytes = 4 if int(block.values.max(initial=0)) <= _INT32_MAX else 8
    head = _HEADER.pack(
        MARK,
        _VERSION,
        step_bytes << 4 | value_bytes,
        block.first,
        len(block.counts),
        block.columns,
        block.people,
        len(block.values),
    )
    body = (
        block.counts.astype("<i8").tobytes(),
        np.diff(block.starts).astype("<u4").tobytes(),
        steps.astype(f"<u{step_bytes}").tobytes(),
        block.values.astype(f"<i{value_bytes}").tobytes(),
    )
    squeezed: bytes = pa.compress(b"".join(body), _CODEC, asbytes=True)
    return head + squeezed


def unpack(packed: bytes) -> Block:
    """Read what `pack` wrote; raises `Corrupt` when it is cut short."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    if len(packed) < _HEADER.size:
        raise _cut_short()
    mark, version, widths, first, rows, columns, people, entries = _HEADER.unpack_from(packed)
    step_bytes, value_bytes = widths >> 4, widths & 15
    if (mark, version) != (MARK, _VERSION):
        raise _cut_short()
    size = rows * 12 + entries * (step_bytes + value_bytes)
    try:
        body: bytes = pa.decompress(packed[_HEADER.size :], size, _CODEC, asbytes=True)
    except (OSError, ValueError) as error:
        raise _cut_short() from error
    at_steps = rows * 12
    counts = np.frombuffer(body, "<i8", rows)
    lengths = np.frombuffer(body, "<u4", rows, rows * 8).astype(np.int64)
    if int(lengths.sum()) != entries:
        raise _cut_short()
    steps = np.frombuffer(body, f"<u{step_bytes}", entries, at_steps)
    values = np.frombuffer(body, f"<i{value_bytes}", entries, at_steps + entries * step_bytes).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    reached = np.cumsum(steps, dtype=np.int64)
    held = np.flatnonzero(lengths)
    before = reached[starts[held]] - steps[starts[held]]
    indices = reached + np.repeat(first + held - before, lengths[held])
    return Block(first, columns, people, counts, starts, indices.astype(np.int32), values)


def add(one: Block, other: Block) -> Block:
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
        message = "An entry of the sum would pass 2^61."
        raise SumOverflow(message)
    return Block(
        one.first,
        one.columns,
        one.people + other.people,
        one.counts + other.counts,
        starts,
        total.indices.astype(np.int32, copy=False),
        values,
    )


def add_up(blocks: Iterable[Block]) -> Block:
    """Add up blocks of the same rows, at least one, pairing those of like weight; raises `SumOverflow`."""
    waiting: list[tuple[int, Block]] = []
    for block in blocks:
        weight, total = 1, block
        while waiting and waiting[-1][0] == weight:
            weight, total = 2 * weight, add(waiting.pop()[1], total)
        waiting.append((weight, total))
    total = waiting.pop()[1]
    while waiting:
        total = add(waiting.pop()[1], total)
    return total


def put_together(blocks: Sequence[Block], columns: int) -> PairSum:
    """Put a sum together from all of its blocks, in any order; raises `Corrupt` when they do not make one."""
    ordered = sorted(blocks, key=lambda block: block.first)
    ends = [block.first + len(block.counts) for block in ordered]
    people = {block.people for block in ordered}
    if [block.first for block in ordered] != [0, *ends[:-1]] or ends[-1:] != [columns] or len(people) != 1:
        message = "The parts of the sum that came back do not belong together."
        raise Corrupt(message, advice="Train again.")
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
    message = "A part of the sum that came back cannot be read."
    return Corrupt(message, advice="Train again.")
