"""Pieces of a sum that travel between the machines, each with the names of the readings that it is made of.

A machine that dies loses its results, and its data is read again, perhaps in another state. So every piece names its
readings: the part of the people, the flush of it, and a digest of the data. A sum is accepted only when all of its
pieces are made of the same readings of every part: none is missing, none comes twice, no two states are mixed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.learn.spark import blocks
from assent.sums import PairSum

#: So many pairs of items are added up at a time: it bounds the memory of an executor's Python process.
PAIRS_AT_ONCE: Final = 1 << 26
#: Sums are added up before they travel while together they have so many pairs: 0.8 GB.
PAIRS_TOGETHER: Final = 1 << 26

#: A part, a flush of it, and half of the SHA-256 of the data.
_READING: Final = struct.Struct("<II16s")

#: Seals a piece's bytes for a disk, or opens them, given the piece's place.
Box = Callable[[int, bytes], bytes]


def as_it_is(_place: int, data: bytes) -> bytes:
    """Leave a piece's bytes as they are."""
    return data


def plain_boxes() -> tuple[Box, Box]:
    """Return boxes that neither open nor seal."""
    return as_it_is, as_it_is


class Piece(NamedTuple):
    """A block of rows of a sum (`place` from 0 on), or the changed contributions of a part (`place` below 0).

    `readings` are packed names of readings, `data` is boxed.
    """

    place: int
    readings: bytes
    data: bytes


class SourceChanged(Exception):
    """Raised when the source changed while it was read: the training starts again."""


def name_reading(part: int, flush: int, read: Iterable[bytes]) -> bytes:
    """Return the name of a reading: the digest is of every one of `read`, in order."""
    whole = hashlib.sha256()
    for each in read:
        whole.update(len(each).to_bytes(8, "little"))
        whole.update(each)
    return _READING.pack(part, flush, whole.digest()[:16])


class BlockBuffer:
    """The blocks of the sums of one part, added up while all together are small, so that fewer travel."""

    def __init__(self, bounds: NDArray[np.int64], seal: Box) -> None:
        """Cut sums at `bounds`, int64 [blocks + 1], of `blocks.cut`."""
        self._bounds, self._seal = bounds, seal
        self._blocks: list[blocks.SumBlock] = []
        self._readings = b""

    def add(self, reading: bytes, total: PairSum) -> Iterator[Piece]:
        """Add the sum of a reading; yield the blocks that no longer fit in the buffer. Raises `SumOverflow`."""
        fresh = list(blocks.blocks_of(total, self._bounds))
        if sum(len(block.values) for block in (*self._blocks, *fresh)) > PAIRS_TOGETHER:
            yield from self.rest()
        self._blocks = [*map(blocks.add, self._blocks, fresh)] if self._blocks else fresh
        self._readings += reading

    def rest(self) -> Iterator[Piece]:
        """Yield every block of the buffer, empty blocks too, and clear it."""
        filled, readings, self._blocks, self._readings = self._blocks, self._readings, [], b""
        for place, block in enumerate(filled):
            yield Piece(place, readings, self._seal(place, blocks.pack(block)))


def merged(place: int, readings: Sequence[bytes], data: Sequence[bytes], unseal: Box, seal: Box) -> Piece:
    """Add up all pieces of one place to one; raises `SumOverflow`, `Corrupt`."""
    if len(data) == 1:
        return Piece(place, readings[0], data[0])
    opened = (unseal(place, each) for each in data)
    whole = b"".join(opened) if place < 0 else blocks.pack(blocks.add_up(map(blocks.unpack, opened)))
    return Piece(place, b"".join(readings), seal(place, whole))


def sum_of_pieces(pieces: Iterable[Piece], parts: int, columns: int, unseal: Box) -> tuple[PairSum, list[bytes]]:
    """Add pieces up to the whole sum; return it with the packed contributions that changed.

    Pieces of a place are added up as they come. Raises `SourceChanged` unless the pieces of every place are made of the
    same readings of all `parts`, `SumOverflow`, and `Corrupt`.
    """
    sums_of: dict[int, blocks.SumBlock] = {}
    made_of: dict[int, list[bytes]] = {}
    people: list[bytes] = []
    readings_of_people: list[bytes] = []
    for piece in pieces:
        readings = _names(piece.readings)
        if piece.place < 0:
            readings_of_people += readings
            people.append(unseal(piece.place, piece.data))
            continue
        made_of.setdefault(piece.place, []).extend(readings)
        block = blocks.unpack(unseal(piece.place, piece.data))
        before = sums_of.get(piece.place)
        sums_of[piece.place] = block if before is None else blocks.add(before, block)
    readings_made_of = {tuple(sorted(readings)) for readings in made_of.values()}
    whole = readings_made_of.pop() if len(readings_made_of) == 1 else ()
    flushes = [_READING.unpack(each)[:2] for each in whole]
    one_of_each = len(set(flushes)) == len(flushes) and {part for part, _ in flushes} == set(range(parts))
    if readings_made_of or not one_of_each or (people and tuple(sorted(readings_of_people)) != whole):
        raise SourceChanged("The pieces that came back are not of one reading.")
    return blocks.sum_of_blocks(list(sums_of.values()), columns), people


def _names(packed: bytes) -> list[bytes]:
    return [packed[place : place + _READING.size] for place in range(0, len(packed), _READING.size)]
