import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assent.sums import COLUMNS_MAX, UNIT, VALUE_MAX, Contribution, weights_of
from assent.terms.errors import Corrupt, InvalidInput


def int32(*numbers):
    return np.array(numbers, np.int32)


@st.composite
def made(draw):
    items = sorted(draw(st.sets(st.integers(0, 200_000), max_size=20)))
    values = draw(st.lists(st.integers(1, VALUE_MAX), min_size=len(items), max_size=len(items)))
    return Contribution(int32(*items), int32(*values), draw(st.integers(1, UNIT)))


@settings(deadline=None)
@given(made())
def test_stored_and_read_back_is_the_same(contribution):
    """A contribution survives its stored form."""
    again = Contribution.from_bytes(contribution.to_bytes())
    assert again == contribution
    assert hash(again) == hash(contribution)


@settings(deadline=None)
@given(made(), st.data())
def test_cut_or_longer_bytes_are_refused(contribution, data):
    """A stored form that is cut short or has more behind it is not read."""
    stored = contribution.to_bytes()
    for wrong in (stored[: data.draw(st.integers(0, len(stored) - 1))], stored + b"\x00"):
        with pytest.raises(Corrupt):
            Contribution.from_bytes(wrong)


def test_the_stored_form_is_compact():
    """Fifty items of a small catalog, each once, take two bytes an item."""
    fifty = Contribution(np.arange(0, 5000, 100, dtype=np.int32), np.ones(50, np.int32), 1000)
    assert len(fifty.to_bytes()) == 10 + 2 * 50


def test_unlike_things_are_unlike():
    """Weight, items and values all tell contributions apart, and something else is never one."""
    one = Contribution(int32(1, 2), int32(1, 1), 5)
    assert one != Contribution(int32(1, 2), int32(1, 1), 6)
    assert one != Contribution(int32(1, 3), int32(1, 1), 5)
    assert one != Contribution(int32(1, 2), int32(1, 2), 5)
    assert one != "one"


@pytest.mark.parametrize(
    ("items", "values", "weight"),
    [
        (int32(1, 2), int32(1), 1),
        (int32(1).reshape(1, 1), int32(1).reshape(1, 1), 1),
        (np.array([1]), np.array([1]), 1),
        (int32(1), np.array([1], np.int64), 1),
        (int32(2, 1), int32(1, 1), 1),
        (int32(1, 1), int32(1, 1), 1),
        (int32(-1), int32(1), 1),
        (int32(COLUMNS_MAX), int32(1), 1),
        (int32(1), int32(0), 1),
        (int32(1), int32(VALUE_MAX + 1), 1),
        (int32(1), int32(1), 0),
        (int32(1), int32(1), UNIT + 1),
    ],
)
def test_what_cannot_be_a_contribution_is_refused(items, values, weight):
    """Items ascend, values and weights are bounded whole numbers, all of one type."""
    with pytest.raises(InvalidInput):
        Contribution(items, values, weight)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b"\x09" + b[1:],
        lambda b: b[:1] + b"\x80" + b[2:],
        lambda b: b[:2] + bytes(4) + b[6:],
        lambda b: b[:14] + b"\x00\x00\x00\x00" + b[18:],
        lambda b: b[:10] + b"\xff\xff\xff\xff" + b[14:],
        lambda b: b[:-1] + b"\xff",
    ],
)
def test_altered_bytes_are_refused(change):
    """Another version, unknown flags, no weight, items that repeat or run off, values out of range."""
    stored = Contribution(int32(0, 70_000), int32(2, 3), 9).to_bytes()
    with pytest.raises(Corrupt):
        Contribution.from_bytes(change(stored))


@settings(deadline=None)
@given(st.lists(st.integers(1, VALUE_MAX), min_size=1, max_size=40), st.sampled_from([k / 8 for k in range(9)]))
def test_a_weight_is_the_rounded_down_power_of_the_influence(values, exponent):
    """Weights follow their formula to one step, are at least one step and never above one unit."""
    v = np.array(values, np.float64)
    weight = int(weights_of(np.array([(v**2).sum()]), np.array([(v**4).sum()]), np.array([v.max()]), exponent)[0])
    length = np.sqrt(((v**2).sum() ** 2 + (v**4).sum()) / 2) / v.max() ** 2
    exact = UNIT / (v.max() ** 2 * length**exponent)
    assert 1 <= weight <= UNIT
    assert weight == 1 or exact - 1.001 <= weight <= exact + 0.001


@settings(deadline=None)
@given(st.lists(st.integers(1, VALUE_MAX), min_size=1, max_size=200))
def test_with_exponent_one_nobody_has_more_than_one_unit_of_influence(values):
    """The whole-number contribution itself, not only its formula, is at most one unit long."""
    v = np.array(values)
    square, fourth = int((v**2).sum()), int((v**4).sum())
    weight = int(weights_of(np.array([float(square)]), np.array([float(fourth)]), np.array([float(v.max())]), 1.0)[0])
    # weight * sqrt((square^2 + fourth) / 2) <= UNIT, in whole numbers; one step of weight is the least there is
    assert weight == 1 or weight**2 * (square**2 + fourth) <= 2 * UNIT**2
