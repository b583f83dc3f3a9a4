"""The sum of all entries of a pair sum."""

import numpy as np

from assent.models.recommender.popularity import mass_of, mass_of_rows
from assent.sums import PairSum
from assent.sums.build import ENTRY_MAX


def test_a_mass_past_the_range_of_one_number_is_exact():
    """Entries at the end of their range, and single steps beside them, add up without a rest or an overflow."""
    columns, entries = 8, [[ENTRY_MAX - item, 1 + item] for item in range(7)] + [[ENTRY_MAX]]
    starts = np.append(np.arange(0, 15, 2), 15)
    indices = np.array([column for item in range(columns) for column in (item, item + 1)][:-1], np.int32)
    total = PairSum.from_arrays((starts, indices, np.concatenate(entries)), np.ones(columns, np.int64), 8)
    whole = sum(row[0] + 2 * sum(row[1:]) for row in entries)
    assert whole > 1 << 63
    assert mass_of(total) == whole
    assert mass_of_rows(total, np.arange(columns, dtype=np.int32)) == whole
    assert mass_of_rows(total, np.array([7, 2], np.int32)) == ENTRY_MAX + (ENTRY_MAX - 2) + 2 * 3
