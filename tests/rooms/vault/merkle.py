"""Audit paths by RFC 9162 section 2.1.3.1, read off the whole tree: what the log's own proofs must be equal to."""

from __future__ import annotations

from collections.abc import Sequence

from assent.store import Session
from assent.store.topics import log
from assent.vault import InclusionProof, leaf_of, tree


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return tree.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return tree.node_hash(root_of(leaves[:middle]), root_of(leaves[middle:]))


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree over `leaves`, leaf side first."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion_path(leaves[:middle], index), root_of(leaves[middle:])]
    return [*inclusion_path(leaves[middle:], index - middle), root_of(leaves[:middle])]


def prove(session: Session, index: int, size: int) -> InclusionProof:
    """Prove that leaf `index` is in the log, as of the checkpoint at `size` leaves."""
    leaves = [leaf_of(row.at_ms, row.kind, row.leaf) for row in log.leaves(session, 0, size)]
    (note,) = [row.note for row in log.checkpoints(session) if row.size == size]
    return InclusionProof(index, size, leaves[index], tuple(inclusion_path(leaves, index)), note)


def _split(size: int) -> int:
    """Return the largest power of two below `size` (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)
