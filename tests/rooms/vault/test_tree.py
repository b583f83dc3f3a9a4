"""The Merkle tree against the known answers of RFC 6962's own test tree, and against its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.terms.errors import Corrupt
from assent.vault import tree
from tests.rooms.vault.merkle import inclusion_path, root_of

LEAVES = [
    tree.leaf_hash(bytes.fromhex(data))
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
NODE_2_4 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
NODE_6_8 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
NODE_4_8 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

sizes = st.integers(0, 70)


def made(size: int) -> list[bytes]:
    return [tree.leaf_hash(number.to_bytes(2, "big")) for number in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_standard_tree(size: int) -> None:
    """Every size of the standard test tree has the published root."""
    frontier = tree.Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    assert frontier.root().hex() == root_of(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, NODE_2_4, NODE_4_8]),
        (5, 8, [LEAF_4, NODE_6_8, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], NODE_2_4, LEAF_4]),
    ],
)
def test_inclusion_paths_of_the_standard_tree(index: int, size: int, path: list[str]) -> None:
    """Known audit paths hold, and the reference makes them byte for byte."""
    steps, root = [bytes.fromhex(step) for step in path], bytes.fromhex(ROOTS[size])
    assert tree.verify_inclusion(LEAVES[index], index, size, steps, root)
    assert inclusion_path(LEAVES[:size], index) == steps


@given(sizes.filter(bool), st.data())
def test_inclusion_holds_and_nothing_else_does(size: int, data: st.DataObject) -> None:
    """A proof made for a leaf holds; with another leaf, index, size, root, step, or a step more or less it does not."""
    leaves = made(size)
    index = data.draw(st.integers(0, size - 1))
    path, root = inclusion_path(leaves, index), root_of(leaves)
    assert tree.verify_inclusion(leaves[index], index, size, path, root)
    other = tree.leaf_hash(b"other")
    assert not tree.verify_inclusion(other, index, size, path, root)
    assert not tree.verify_inclusion(leaves[index], index, size, path, other)
    assert not tree.verify_inclusion(leaves[index], index, size, [*path, other], root)
    assert not tree.verify_inclusion(leaves[index], size, size, path, root)
    assert not tree.verify_inclusion(leaves[index], -1, size, path, root)
    for at in range(len(path)):
        assert not tree.verify_inclusion(leaves[index], index, size, [*path[:at], other, *path[at + 1 :]], root)
    if path:
        assert not tree.verify_inclusion(leaves[index], index, size, path[:-1], root)
        assert not tree.verify_inclusion(leaves[index], index ^ 1, size, path, root)


@given(sizes)
def test_frontier_survives_writing_down(size: int) -> None:
    """A frontier written as text and read again goes on as if it had never been written."""
    leaves = made(size)
    frontier = tree.Frontier()
    for leaf in leaves:
        frontier = tree.Frontier.from_text(frontier.to_text())
        frontier.append(leaf)
    assert frontier.size == size
    assert frontier.root() == root_of(leaves)
    assert len(frontier.nodes) == size.bit_count()


def test_no_text_is_an_empty_tree() -> None:
    """Where nothing was written the tree is empty, with the root the RFC gives it."""
    assert tree.Frontier.from_text(None).root() == tree.EMPTY_ROOT


@pytest.mark.parametrize("text", ["", "x:00", "1:zz", "1:00", "2:", "-1:", "01:" + "00" * 32, "1:" + "AB" * 32])
def test_altered_frontier_is_refused(text: str) -> None:
    """Text that is not exactly a frontier is refused."""
    with pytest.raises(Corrupt):
        tree.Frontier.from_text(text)
