"""A person's history in compact form: eight bytes an entry, oldest first.

An entry has the item (its dense number), the day, the action (`terms.events`, in 4 bits) and the purposes that it may
serve (the OR of `Purpose.bit`, in 12 bits). Two equal acts on the same item under the same purposes are one entry with
the newest day: repeating an act adds nothing to a suggestion. Equal acts under different purposes are separate entries,
so that nothing done under one purpose, not even its day, serves another. Only the newest `history_entries_max` entries
are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assent.terms.errors import Corrupt
from assent.terms.events import ACTION_BITS
from assent.terms.limits import limit
from assent.terms.purposes import EVERY_PURPOSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: One entry: item number, days since 1970-01-01, and `act_of` its action code and its purposes.
HISTORY = np.dtype([("item", "<u4"), ("day", "<u2"), ("act", "<u2")])

#: The newest entries that are kept.
ENTRIES_MAX = limit("history_entries_max")

#: The action code is in the low bits of `act`, the purposes are in the bits above.
PURPOSES_SHIFT = ACTION_BITS
_ACTION_MASK = (1 << PURPOSES_SHIFT) - 1

# An entry as one 64-bit word: item in bits 0 to 31, day in 32 to 47, action in 48 to 51, purposes in 52 to 63.
_WORD = np.dtype("<u8")
_DAY_SHIFT = np.uint64(32)
_DAY_MASK = np.uint64(0xFFFF)
_WITHOUT_DAY = np.uint64(0xFFFF_0000_FFFF_FFFF)

_NONE = np.empty(0, dtype=HISTORY)
_NONE.flags.writeable = False


def no_history() -> NDArray[np.void]:
    """Return a history without entries, HISTORY dtype, shape (0,)."""
    return _NONE


def act_of(action: int, purposes: int) -> int:
    """Return the `act` of an entry: an action code below 16 and the bits of at most twelve purposes, as 16 bits."""
    return action | purposes << PURPOSES_SHIFT


def entries(rows: Sequence[tuple[int, int, int, int]]) -> NDArray[np.void]:
    """Make entries of (item, day, action, purposes) rows, HISTORY dtype, shape (rows,)."""
    return np.array([(item, day, act_of(action, purposes)) for item, day, action, purposes in rows], dtype=HISTORY)


def rows_of(history: NDArray[np.void]) -> list[tuple[int, int, int, int]]:
    """Return the (item, day, action, purposes) rows of entries, HISTORY dtype, shape (entries,)."""
    return [(item, day, act & _ACTION_MASK, act >> PURPOSES_SHIFT) for item, day, act in history.tolist()]


def actions_of(history: NDArray[np.void]) -> NDArray[np.uint16]:
    """Return the action codes of entries (HISTORY dtype, shape (entries,)), uint16, shape (entries,)."""
    actions: NDArray[np.uint16] = history["act"] & np.uint16(_ACTION_MASK)
    return actions


def purposes_of(history: NDArray[np.void]) -> NDArray[np.uint16]:
    """Return the purposes' bits of entries (HISTORY dtype, shape (entries,)), uint16, shape (entries,)."""
    purposes: NDArray[np.uint16] = history["act"] >> np.uint16(PURPOSES_SHIFT)
    return purposes


def pack(history: NDArray[np.void]) -> bytes:
    """Return the bytes of entries (HISTORY dtype, shape (entries,)), eight each."""
    return history.tobytes()


def unpack(packed: bytes) -> NDArray[np.void]:
    """Return the entries in `packed`, HISTORY dtype, shape (entries,), read-only.

    Raises `Corrupt` when the length does not fit.
    """
    if len(packed) % HISTORY.itemsize:
        raise Corrupt("A history has a length that no entries have.")
    return np.frombuffer(packed, dtype=HISTORY)


def unpack_first(packed: bytes) -> NDArray[np.void]:
    """Return entries of the first layout, which had 8 bits for the action and 8 for the purposes.

    They have HISTORY dtype, shape (entries,), and are read-only. Raises `Corrupt` when the length does not fit.
    """
    history = unpack(packed).copy()
    history["act"] = (history["act"] & 0xFF) | (history["act"] >> 8) << PURPOSES_SHIFT
    history.flags.writeable = False
    return history


def merge(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Merge parts, given in the order of their arrival, into one history: oldest day first, equal acts once.

    Each part and the answer have HISTORY dtype and shape (entries,).
    """
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
    """Return the entries that may serve the purpose of `bit`; both histories have HISTORY dtype, shape (entries,)."""
    allowed: NDArray[np.void] = history[(history["act"] & np.uint16(bit << PURPOSES_SHIFT)) != 0]
    return allowed


def limited(history: NDArray[np.void], bits: int) -> NDArray[np.void]:
    """Return the entries with the purposes outside `bits` taken off; entries without a purpose are left out.

    Both histories have HISTORY dtype, shape (entries,).
    """
    left = history.copy()
    left["act"] &= np.uint16(act_of(_ACTION_MASK, bits & EVERY_PURPOSE))
    serving: NDArray[np.void] = left[left["act"] > _ACTION_MASK]
    return serving
