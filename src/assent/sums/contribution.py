"""The contribution of one person to a sum: whole numbers, exactly `weight * values values'`, a matrix of rank one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import Corrupt, InvalidInput
from assent.terms.limits import limit

#: One unit of influence, and so the fixed-point unit of every entry of a sum: 2^20 steps of 2^-20.
UNIT: Final = 1 << 20
#: The largest value of a person at one item.
VALUE_MAX: Final = limit("item_value_max")
#: The largest number of columns.
COLUMNS_MAX: Final = limit("sum_columns_max")

_HEADER: Final = struct.Struct("<BBII")
_VERSION: Final = 1
_WIDE_ITEMS: Final = 1
_ALL_ONES: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """One person's part of a `PairSum`: entry `(i, j)` of their matrix is exactly `weight * values[i] * values[j]`.

    `items` int32 [k], ascending and unique; `values` int32 [k], 1 to `VALUE_MAX`; `weight` int, 1 to `UNIT`, in 2^-20.
    """

    items: NDArray[np.int32]
    values: NDArray[np.int32]
    weight: int

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for arrays or a weight that are not in the form above."""
        if self.items.ndim != 1 or self.items.shape != self.values.shape:
            raise InvalidInput("A contribution needs one value for each item.")
        if self.items.dtype != np.int32 or self.values.dtype != np.int32:
            raise InvalidInput("The items and values of a contribution are int32.")
        if len(self.items) and (self.items[0] < 0 or self.items[-1] >= COLUMNS_MAX or (np.diff(self.items) <= 0).any()):
            raise InvalidInput("The items of a contribution ascend, each once.")
        if len(self.values) and (self.values.min() < 1 or self.values.max() > VALUE_MAX):
            raise InvalidInput(f"The values of a contribution are whole numbers from 1 to {VALUE_MAX}.")
        if not 1 <= self.weight <= UNIT:
            raise InvalidInput(f"The weight of a contribution is a whole number from 1 to {UNIT}.")

    def __eq__(self, other: object) -> bool:
        """Tell whether both contribute exactly the same."""
        if not isinstance(other, Contribution):
            return NotImplemented
        return (
            self.weight == other.weight
            and np.array_equal(self.items, other.items)
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        """Hash the stored form."""
        return hash(self.to_bytes())

    @property
    def rows(self) -> NDArray[np.int32]:
        """The rows of the sum that it changes, int32 [k]: those of its items."""
        return self.items

    def to_bytes(self) -> bytes:
        """Return the compact stored form: a header, the steps between items, and the values unless all are 1."""
        wide = bool(len(self.items)) and int(self.items[-1]) > np.iinfo(np.uint16).max
        ones = bool((self.values == 1).all())
        flags = (_WIDE_ITEMS if wide else 0) | (_ALL_ONES if ones else 0)
        steps = np.diff(self.items, prepend=np.int32(0)).astype("<u4" if wide else "<u2")
        head = _HEADER.pack(_VERSION, flags, self.weight, len(self.items))
        return head + steps.tobytes() + (b"" if ones else self.values.astype("u1").tobytes())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Contribution:
        """Read the form that `to_bytes` wrote; raises `Corrupt` for any other bytes."""
        if len(stored) < _HEADER.size:
            raise _unreadable()
        version, flags, weight, count = _HEADER.unpack_from(stored)
        if version != _VERSION or flags & ~(_WIDE_ITEMS | _ALL_ONES):
            raise _unreadable()
        width = 4 if flags & _WIDE_ITEMS else 2
        split = _HEADER.size + count * width
        if len(stored) != split + (0 if flags & _ALL_ONES else count):
            raise _unreadable()
        steps = np.frombuffer(stored, f"<u{width}", count, _HEADER.size)
        items = np.cumsum(steps, dtype=np.int64)
        if count and items[-1] >= COLUMNS_MAX:
            raise _unreadable()
        values = np.ones(count, np.int32) if flags & _ALL_ONES else np.frombuffer(stored, "u1", count, split)
        try:
            return cls(items.astype(np.int32), values.astype(np.int32), weight)
        except InvalidInput as error:
            raise _unreadable() from error


def _unreadable() -> Corrupt:
    return Corrupt("A stored contribution cannot be read.")


def influences(square_sums: NDArray[np.float64], fourth_sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean norm of the upper triangle of each person's `v v'`, float64 [people].

    `square_sums` are each person's `sum v^2`, `fourth_sums` their `sum v^4`, both float64 [people].
    """
    length: NDArray[np.float64] = np.sqrt((square_sums * square_sums + fourth_sums) / 2.0)
    return length


def weights_of(
    square_sums: NDArray[np.float64],
    fourth_sums: NDArray[np.float64],
    largest: NDArray[np.float64],
    exponent: float,
) -> NDArray[np.int64]:
    """Return each person's weight in 2^-20, int64 [people]: `1 / (m^2 (influence / m^2)^exponent)`, at least one step.

    The weight is rounded down. `square_sums` and `fourth_sums` are each person's `sum v^2` and `sum v^4`, float64
    [people].

    `m` is the person's `largest` value, float64 [people], so that only the proportions of the values count. With
    `exponent` 1 each person has at most one unit of influence on the sum (its Euclidean norm), however many items they
    have; with 0 every pair of largest values counts one unit. `exponent` is a multiple of 1/8 from 0 to 1: powers are
    then made of square roots, which every machine rounds alike, and the arguments are whole numbers; so a person's
    weight is the same everywhere.
    """
    square = largest * largest
    # A person with an item is not below one; a row without items gets a weight that multiplies nothing.
    length = np.maximum(influences(square_sums, fourth_sums) / square, 1.0)
    divisor = square
    root = length
    if exponent == 1.0:
        divisor = square * length
    eighths = round(exponent * 8) % 8
    for bit in (4, 2, 1):
        root = np.sqrt(root)
        if eighths & bit:
            divisor = divisor * root
    return np.maximum(np.floor(UNIT / divisor), 1.0).astype(np.int64)
