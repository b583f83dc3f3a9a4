"""The algebra: whole-number sums in which people come and go without a trace, and inverses that follow them."""

from assent.sums.build import ENTRY_MAX
from assent.sums.contribution import COLUMNS_MAX, UNIT, VALUE_MAX, Contribution, influences, weights_of
from assent.sums.image import Image
from assent.sums.inverse import invert_in_place
from assent.sums.lowrank import PENDING_MAX, LowRankInverse
from assent.sums.pairs import PairSum
from assent.sums.rows import Row

__all__ = [
    "COLUMNS_MAX",
    "ENTRY_MAX",
    "PENDING_MAX",
    "UNIT",
    "VALUE_MAX",
    "Contribution",
    "Image",
    "LowRankInverse",
    "PairSum",
    "Row",
    "influences",
    "invert_in_place",
    "weights_of",
]
