"""A person's history in compact form: eight bytes for each act, oldest first.

An entry says which item (its dense number), on which day, which act (`terms.events`) and for which purposes it may be
used (the OR of `Purpose.bit`). Two equal acts on the same item under the same purposes are one entry with the newest
day: repeating an act adds nothing to a suggestion. Acts under different purposes stay apart, so that nothing done under
one purpose, not even its day, is ever shown to another. Only the newest `history_entries_max` entries are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.terms.errors import Corrupt
from assent.terms.limits import limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: One act: item number, days since 1970-01-01, action code, purposes.
HISTORY = np.dtype([("item", "<u4"), ("day", "<u2"), ("action", "u1"), ("purposes", "u1")])

#: The newest entries that are kept.
ENTRIES_MAX = limit("history_entries_max")

# An entry as one 64-bit word: item in bits 0 to 31, day in 32 to 47, action in 48 to 55, purposes in 56 to 63.
_WORD = np.dtype("<u8")
_DAY_SHIFT = np.uint64(32)
_DAY_MASK = np.uint64(0xFFFF)
_WITHOUT_DAY = np.uint64(0xFFFF_0000_FFFF_FFFF)

_NONE = np.empty(0, dtype=HISTORY)
_NONE.flags.writeable = False


def no_history() -> NDArray[np.void]:
    """Return a history without entries, HISTORY dtype, shape (0,)."""
    return _NONE


def entries(rows: Sequence[tuple[int, int, int, int]]) -> NDArray[np.void]:
    """Make entries of (item, day, action, purposes) rows, HISTORY dtype, shape (rows,)."""
    return np.array(rows, dtype=HISTORY)


def pack(history: NDArray[np.void]) -> bytes:
    """Return the bytes of entries, eight each."""
    return history.tobytes()


def unpack(packed: bytes) -> NDArray[np.void]:
    """Return the entries in `packed`, HISTORY dtype, read-only; raises `Corrupt` when the length does not fit."""
    if len(packed) % HISTORY.itemsize:
        message = "A history has a length that no entries have."
        raise Corrupt(message)
    return np.frombuffer(packed, dtype=HISTORY)


def merge(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Merge parts, given in the order of their arrival, into one history: oldest day first, equal acts once."""
    if not parts:
        return _NONE
    packed = np.concatenate([part.view(_WORD) for part in parts])
    packed = packed[((packed >> _DAY_SHIFT) & _DAY_MASK).argsort(kind="stable")]
    acts = packed & _WITHOUT_DAY
    order = acts.argsort(kind="stable")
    acts = acts[order]
    newest = np.ones(len(acts), dtype=np.bool_)
    np.not_equal(acts[1:], acts[:-1], out=newest[:-1])
    kept = np.sort(order[newest])[-ENTRIES_MAX:]
    merged: NDArray[np.void] = packed[kept].view(HISTORY)
    return merged


def for_purpose(history: NDArray[np.void], bit: int) -> NDArray[np.void]:
    """Return the entries that may serve the purpose of `bit`."""
    allowed: NDArray[np.void] = history[(history["purposes"] & bit) != 0]
    return allowed


def without_purpose(history: NDArray[np.void], bit: int) -> NDArray[np.void]:
    """Return the entries without the purpose of `bit`; entries left without any purpose are gone."""
    left = history.copy()
    left["purposes"] &= np.uint8(~bit & 0xFF)
    serving: NDArray[np.void] = left[left["purposes"] != 0]
    return serving
