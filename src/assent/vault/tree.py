"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 has the same): pure functions and one compact frontier."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from assent.terms.errors import Corrupt

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte hash of a leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the full subtrees of a growing tree, largest first: enough to append leaves and compute the root."""

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        """Start at `size` leaves; `nodes` has one 32-byte hash for each bit set in `size`."""
        self.size = size
        self.nodes = list(nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash, in time that grows with the logarithm of the size at worst."""
        self.nodes.append(leaf)
        self.size += 1
        step = self.size
        while step % 2 == 0:
            right = self.nodes.pop()
            self.nodes[-1] = node_hash(self.nodes[-1], right)
            step //= 2

    def root(self) -> bytes:
        """Return the 32-byte root."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root

    def to_text(self) -> str:
        """Write the frontier as `SIZE:HEX`."""
        return f"{self.size}:{b''.join(self.nodes).hex()}"

    @classmethod
    def from_text(cls, text: str | None) -> Frontier:
        """Read `SIZE:HEX` (None: an empty tree); raises `Corrupt` when it is not one."""
        if text is None:
            return cls()
        size_text, _, nodes_text = text.partition(":")
        try:
            size, joined = int(size_text), bytes.fromhex(nodes_text)
        except ValueError:
            size, joined = -1, b""
        if size < 0 or len(joined) != size.bit_count() * HASH_BYTES or cls._text(size, joined) != text:
            raise Corrupt("The frontier of the audit log was altered.")
        return cls(size, [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)])

    @staticmethod
    def _text(size: int, joined: bytes) -> str:
        return f"{size}:{joined.hex()}"


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the leaf hash is at `index` in the tree of `size` and `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root
