"""Digests of the ids of events that were taken in: keyed, in few large sorted blocks, without the id of a person.

Digests are random, so a row for each would touch a page of its own: measured at 300,000 events, twelve microseconds
each, more than everything else an event costs. A block is one value; a new block swallows every block that is not
larger, like the digits of a binary counter, so there are few of them and each digest is written few times. A block is
named by the hash of its content, which makes it safe to remember between transactions, even ones that are undone.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, select

from assent.store.statements import among, insert_new
from assent.store.tables import SEEN_BLOCKS
from assent.terms.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from assent.store.session import Session

DIGEST_BYTES = 16

#: Digests of a full block (4 MB). A full block is not rewritten any more, so that no single write takes long.
BLOCK_DIGESTS = 1 << 18
#: Blocks up to this size are kept in memory as a set, larger ones as sorted numbers.
SMALL_BLOCK_DIGESTS = 256

_LIVE = select(SEEN_BLOCKS.c.block, SEEN_BLOCKS.c.digests_count).order_by(SEEN_BLOCKS.c.digests_count)
_LOAD = select(SEEN_BLOCKS.c.block, SEEN_BLOCKS.c.digests).where(among(SEEN_BLOCKS.c.block, "blocks"))
_ADD = insert_new(SEEN_BLOCKS)
_DROP = delete(SEEN_BLOCKS).where(among(SEEN_BLOCKS.c.block, "blocks"))

_KEPT_BLOCKS = "seen blocks"
_LENGTHS = frozenset((DIGEST_BYTES,))


class _Block:
    """One block in memory; `raw` is its digests, sorted, one after the other."""

    __slots__ = ("_digests", "_high", "_low", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._digests: frozenset[bytes] | None = None
        if len(raw) <= SMALL_BLOCK_DIGESTS * DIGEST_BYTES:
            self._digests = frozenset(_cut(raw))
            return
        self._high, self._low = _halves(raw)

    def found(self, wanted: Sequence[bytes], high: NDArray[np.uint64], low: NDArray[np.uint64]) -> Iterable[bytes]:
        """Return those of `wanted` that are in the block; `high` and `low` are their halves, uint64 [wanted].

        Digests are found by their first half: two stored ones that share it (one chance in 2^64 for each pair) would
        hide one another, and a repeated event would be counted twice.
        """
        if self._digests is not None:
            return self._digests.intersection(wanted)
        places = np.minimum(np.searchsorted(self._high, high), len(self._high) - 1)
        hits = np.flatnonzero((self._high[places] == high) & (self._low[places] == low))
        return [wanted[hit] for hit in hits.tolist()]


def seen(session: Session, digests: Sequence[bytes]) -> set[bytes]:
    """Return those of these 16-byte digests that were added before.

    Raises `InvalidInput` for a digest of another length.
    """
    if not digests:
        return set()
    high, low = _halves(_joined(digests))
    order = np.argsort(high)  # in order, each search finds the pages of the one before it still near
    high, low, wanted = high[order], low[order], [digests[place] for place in order.tolist()]
    found: set[bytes] = set()
    for block in _live(session).values():
        found.update(block.found(wanted, high, low))
    return found


def add_seen(session: Session, digests: Iterable[bytes]) -> None:
    """Add 16-byte digests; raises `InvalidInput` for one of another length."""
    parts = [_joined([*set(digests)])]
    bytes_count = len(parts[0])
    if not bytes_count:
        return
    swallowed = []
    for name, block in _live(session).items():
        if len(block.raw) > min(bytes_count, BLOCK_DIGESTS * DIGEST_BYTES - 1):
            break
        parts.append(block.raw)
        bytes_count += len(block.raw)
        swallowed.append(name)
    if swallowed:
        session.run(_DROP, {"blocks": swallowed})
    raw = _merged(parts)
    name = blake2b(raw, digest_size=DIGEST_BYTES).digest()
    session.run(_ADD, {"block": name, "digests_count": len(raw) // DIGEST_BYTES, "digests": raw})


def _live(session: Session) -> dict[bytes, _Block]:
    """Return the blocks that this transaction sees, by name, smallest first; only new ones are read."""
    remembered: dict[bytes, _Block] = session.kept.setdefault(_KEPT_BLOCKS, {})
    names = [name for name, _ in session.all(_LIVE)]
    missing = [name for name in names if name not in remembered]
    if missing:
        remembered.update((name, _Block(raw)) for name, raw in session.all(_LOAD, {"blocks": missing}))
    live = {name: remembered[name] for name in names}
    session.kept[_KEPT_BLOCKS] = live
    return live


def _joined(digests: Sequence[bytes]) -> bytes:
    raw = b"".join(digests)
    if not _LENGTHS.issuperset(map(len, digests)):
        raise InvalidInput(f"A digest does not have {DIGEST_BYTES} bytes.")
    return raw


def _merged(parts: Sequence[bytes]) -> bytes:
    """Sort the digests of several parts; the stable sort is fast because each part is sorted."""
    pairs = np.frombuffer(b"".join(parts), dtype=">u8").reshape(-1, 2)
    order = np.argsort(pairs[:, 0].astype(np.uint64), kind="stable")
    return pairs[order].tobytes()


def _cut(raw: bytes) -> list[bytes]:
    return [raw[at : at + DIGEST_BYTES] for at in range(0, len(raw), DIGEST_BYTES)]


def _halves(raw: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the first and second halves of digests as native numbers, uint64[n] each."""
    pairs = np.frombuffer(raw, dtype=">u8").reshape(-1, 2).astype(np.uint64)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
