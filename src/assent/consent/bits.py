"""Bits of purposes: a purpose that keeps events gets one from the store, once, for every process and machine."""

from __future__ import annotations

from assent.consent.purposes import Purposes
from assent.store import Session, Store
from assent.store.topics import purposes as allotted
from assent.terms.errors import InvalidInput
from assent.terms.purposes import BITS, BUILT_IN_BITS


def with_bits(store: Store, purposes: Purposes, now_ms: int) -> Purposes:
    """Return the purposes with their bits in a store; each purpose that keeps events and has none gets one.

    A bit is never changed, and never given again after its purpose left the file: records under it would serve another
    purpose. Raises `InvalidInput` when no bit is left.
    """
    with store.read() as session:
        bits = allotted.bits(session)
    if _lacking(purposes, bits):
        bits = store.write(lambda session: _allot(session, purposes, now_ms))
    return purposes.with_bits(bits)


def _lacking(purposes: Purposes, bits: dict[str, int]) -> list[str]:
    """Return the purposes that keep events and have no bit, in the order in which they are declared."""
    return [
        each.id for each in purposes.all() if each.keeps_events and each.id not in BUILT_IN_BITS.keys() | bits.keys()
    ]


def _allot(session: Session, purposes: Purposes, now_ms: int) -> dict[str, int]:
    bits = allotted.bits(session)
    lacking = _lacking(purposes, bits)
    taken = {*BUILT_IN_BITS.values(), *bits.values()}
    free = [1 << place for place in range(BITS) if 1 << place not in taken]
    if len(lacking) > len(free):
        raise InvalidInput(
            f"Only {BITS} purposes can keep events, and '{lacking[len(free)]}' would be one more.",
            advice="Set keeps_events = false where no event has to be kept; a purpose that is gone still counts.",
        )
    for purpose_id, bit in zip(lacking, free, strict=False):
        allotted.add(session, purpose_id, bit, now_ms)
    return allotted.bits(session)
