"""What travels between the machines: pieces of a sum, each with the names of the readings that it is made of.

A machine that dies takes results with it, and what it had read is read again, perhaps in another state. So every piece
names its readings: which part of the people, which flush of it, and a digest of what was read. A sum is taken only when
all of its pieces are made of the same readings of every part: none missing, none twice, no two states mixed.
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

#: How many pairs of items are added up at a time: it bounds what an executor's Python process holds.
PAIRS_AT_ONCE: Final = 1 << 26
#: Sums are added up before they travel while together they have so many pairs: 0.8 GB.
PAIRS_TOGETHER: Final = 1 << 26

#: A part, a flush of it, and half of a SHA-256 of what was read.
_READING: Final = struct.Struct("<II16s")

#: Turns a piece's bytes into what may lie on a disk, or back, given its place.
Box = Callable[[int, bytes], bytes]


def as_it_is(_place: int, data: bytes) -> bytes:
    """Leave a piece's bytes as they are."""
    return data


def plain_boxes() -> tuple[Box, Box]:
    """Return boxes that neither open nor seal."""
    return as_it_is, as_it_is


class Piece(NamedTuple):
    """A block of rows of a sum (`place` from 0 on), or what is said of the people of a part (`place` below 0).

    `readings` are packed names of readings, `data` is boxed.
    """

    place: int
    readings: bytes
    data: bytes


class Moved(Exception):
    """What was read changed while it was being read: the training starts again."""


def name_reading(part: int, flush: int, read: Iterable[bytes]) -> bytes:
    """Return the name of a reading: the digest is of every one of `read`, in order."""
    whole = hashlib.sha256()
    for each in read:
        whole.update(len(each).to_bytes(8, "little"))
        whole.update(each)
    return _READING.pack(part, flush, whole.digest()[:16])


class Gathering:
    """The blocks of the sums of one part, added up as long as all together are small: the fewer travel."""

    def __init__(self, bounds: NDArray[np.int64], seal: Box) -> None:
        """Gather nothing yet; sums are cut at `bounds`, of `blocks.cut`."""
        self._bounds, self._seal = bounds, seal
        self._held: list[blocks.Block] = []
        self._readings = b""

    def take_in(self, reading: bytes, total: PairSum) -> Iterator[Piece]:
        """Add a sum that was made of a reading; yield what is not waited with. Raises `SumOverflow`."""
        fresh = list(blocks.blocks_of(total, self._bounds))
        if sum(len(block.values) for block in (*self._held, *fresh)) > PAIRS_TOGETHER:
            yield from self.rest()
        self._held = [*map(blocks.add, self._held, fresh)] if self._held else fresh
        self._readings += reading

    def rest(self) -> Iterator[Piece]:
        """Yield every block of what was gathered, the empty ones too; afterwards nothing is."""
        held, readings, self._held, self._readings = self._held, self._readings, [], b""
        for place, block in enumerate(held):
            yield Piece(place, readings, self._seal(place, blocks.pack(block)))


def merged(place: int, readings: Sequence[bytes], data: Sequence[bytes], unseal: Box, seal: Box) -> Piece:
    """Make one piece of all those of one place; raises `SumOverflow`, `Corrupt`."""
    if len(data) == 1:
        return Piece(place, readings[0], data[0])
    opened = (unseal(place, each) for each in data)
    whole = b"".join(opened) if place < 0 else blocks.pack(blocks.add_up(map(blocks.unpack, opened)))
    return Piece(place, b"".join(readings), seal(place, whole))


def take(pieces: Iterable[Piece], parts: int, columns: int, unseal: Box) -> tuple[PairSum, list[bytes]]:
    """Put the sum together and return it with what is said of people; pieces of a place are added up as they come.

    Raises `Moved` unless the pieces of every place are made of the same readings of all `parts`, `SumOverflow`, and
    `Corrupt`.
    """
    held: dict[int, blocks.Block] = {}
    made_of: dict[int, list[bytes]] = {}
    people: list[bytes] = []
    told_of: list[bytes] = []
    for piece in pieces:
        readings = _names(piece.readings)
        if piece.place < 0:
            told_of += readings
            people.append(unseal(piece.place, piece.data))
            continue
        made_of.setdefault(piece.place, []).extend(readings)
        block = blocks.unpack(unseal(piece.place, piece.data))
        before = held.get(piece.place)
        held[piece.place] = block if before is None else blocks.add(before, block)
    readings_made_of = {tuple(sorted(readings)) for readings in made_of.values()}
    whole = readings_made_of.pop() if len(readings_made_of) == 1 else ()
    flushes = [_READING.unpack(each)[:2] for each in whole]
    one_of_each = len(set(flushes)) == len(flushes) and {part for part, _ in flushes} == set(range(parts))
    if readings_made_of or not one_of_each or (people and tuple(sorted(told_of)) != whole):
        raise Moved("The pieces that came back are not of one reading.")
    return blocks.put_together(list(held.values()), columns), people


def _names(packed: bytes) -> list[bytes]:
    return [packed[place : place + _READING.size] for place in range(0, len(packed), _READING.size)]
