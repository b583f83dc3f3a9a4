"""The compact history: packing, merging, and what each purpose sees of it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.terms.errors import Corrupt
from assent.terms.limits import limit
from assent.terms.purposes import EVERY_PURPOSE
from assent.vault import HISTORY, act_of, actions_of, entries, merge, no_history, pack, purposes_of, unpack
from assent.vault.history import for_purpose, limited, unpack_first
from tests.rooms.vault.histories import deeds_of

rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 5), st.sampled_from([1, 2, 3])), max_size=12
)


@given(rows)
def test_packing_is_lossless(acts: list[tuple[int, int, int, int]]) -> None:
    """Eight bytes an entry, and the same entries again."""
    history = entries(acts)
    assert len(pack(history)) == 8 * len(acts)
    assert deeds_of(unpack(pack(history))) == acts
    assert history.dtype == HISTORY


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 15), st.integers(1, 255))))
def test_the_first_layout_reads_as_it_was_written(acts: list[tuple[int, int, int, int]]) -> None:
    """A byte for the action and one for the purposes become the same act under the same purposes."""
    packed = b"".join(struct.pack("<IHBB", *act) for act in acts)
    history = unpack_first(packed)
    assert deeds_of(history) == acts
    assert history.dtype == HISTORY
    assert not history.flags.writeable
    with pytest.raises(Corrupt):
        unpack_first(packed + b"x")


@given(st.integers(0, 15), st.integers(0, EVERY_PURPOSE))
def test_an_act_holds_sixteen_actions_and_twelve_purposes(action: int, purposes: int) -> None:
    """Action and purposes come out as they went in, and the entry stays one word of 64 bits."""
    history = entries([(2**32 - 1, 65535, action, purposes)])
    assert history.itemsize == 8
    assert (actions_of(history).tolist(), purposes_of(history).tolist()) == ([action], [purposes])
    assert history["act"].tolist() == [act_of(action, purposes)]
    for bit in (1 << place for place in range(12)):
        assert len(for_purpose(history, bit)) == bool(purposes & bit)
        assert deeds_of(limited(history, ~bit))[:1] == (
            [(2**32 - 1, 65535, action, purposes & ~bit)] * bool(purposes & ~bit)
        )


def test_a_length_that_no_entries_have_is_refused() -> None:
    """Bytes that are not whole entries are not a history."""
    with pytest.raises(Corrupt):
        unpack(b"1234567")


def slow_merge(parts: list[list[tuple[int, int, int, int]]]) -> list[tuple[int, ...]]:
    newest: dict[tuple[int, int, int], tuple[int, int]] = {}
    for arrival, (item, day, action, purposes) in enumerate(act for part in parts for act in part):
        act = (item, action, purposes)
        newest[act] = max(newest.get(act, (-1, -1)), (day, arrival))
    ordered = sorted(newest.items(), key=lambda each: each[1])
    return [(item, day, action, purposes) for (item, action, purposes), (day, _) in ordered]


@given(st.lists(rows, max_size=4))
def test_merging_keeps_each_act_once_at_its_newest_day(parts: list[list[tuple[int, int, int, int]]]) -> None:
    """Equal acts under equal purposes are one entry, oldest day first; the plain definition agrees."""
    assert deeds_of(merge([entries(part) for part in parts])) == slow_merge(parts)


@given(st.lists(rows, max_size=4))
def test_merging_in_steps_is_merging_at_once(parts: list[list[tuple[int, int, int, int]]]) -> None:
    """Folding part by part gives what reading all parts together gives."""
    arrays = [entries(part) for part in parts]
    folded = no_history()
    for part in arrays:
        folded = merge([folded, part])
    assert deeds_of(folded) == deeds_of(merge(arrays))


@given(st.lists(rows, max_size=3), st.sampled_from([1, 2]))
def test_a_purpose_sees_nothing_of_acts_it_was_not_given(
    parts: list[list[tuple[int, int, int, int]]], bit: int
) -> None:
    """Merging with acts of other purposes changes nothing of what one purpose sees, not even a day."""
    alone = [[act for act in part if act[3] & bit] for part in parts]
    seen = for_purpose(merge([entries(part) for part in parts]), bit)
    assert deeds_of(seen) == deeds_of(merge([entries(part) for part in alone]))


@given(rows, st.sampled_from([1, 2]))
def test_stripping_a_purpose(acts: list[tuple[int, int, int, int]], bit: int) -> None:
    """After stripping no entry has the bit, and no entry is left without any purpose."""
    history = entries(acts)
    left = limited(history, ~bit)
    expected = [(item, day, action, purposes & ~bit) for item, day, action, purposes in acts if purposes & ~bit]
    assert deeds_of(left) == expected
    assert deeds_of(history) == acts


def test_only_the_newest_entries_are_kept() -> None:
    """Past the limit the oldest acts fall out."""
    most = limit("history_entries_max")
    days = [(item, item // 10, 1, 1) for item in range(most + 25)]
    kept = merge([entries(days[most:]), entries(days[:most])])
    assert len(kept) == most
    assert deeds_of(kept) == days[25:]


def test_nothing_merged_is_nothing() -> None:
    """No parts give the empty history, which cannot be written to."""
    assert len(merge([])) == len(no_history()) == 0
    assert not no_history().flags.writeable
