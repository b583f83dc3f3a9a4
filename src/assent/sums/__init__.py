"""The algebra: whole-number sums, from which people are removed exactly, and the inverses that follow them."""

from assent.sums.build import ENTRY_MAX
from assent.sums.contribution import COLUMNS_MAX, UNIT, VALUE_MAX, Contribution, influences, weights_of
from assent.sums.float_copy import FloatCopy
from assent.sums.inverse import invert_in_place
from assent.sums.lowrank import PENDING_TERMS, LowRankInverse
from assent.sums.pairs import PairSum
from assent.sums.rows import Row

__all__ = [
    "COLUMNS_MAX",
    "ENTRY_MAX",
    "PENDING_TERMS",
    "UNIT",
    "VALUE_MAX",
    "Contribution",
    "FloatCopy",
    "LowRankInverse",
    "PairSum",
    "Row",
    "influences",
    "invert_in_place",
    "weights_of",
]
