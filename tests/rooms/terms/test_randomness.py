"""Random bytes are never returned twice, in threads and in forked processes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from assent.terms.randomness import BUFFER_BYTES, SMALL_BYTES, SystemRandomness


def test_each_piece_has_its_length_and_comes_once():
    """Small pieces come out of lumps without overlap, also over the end of a lump; large ones come by themselves."""
    source = SystemRandomness()
    pieces = [source.bytes(SMALL_BYTES) for _ in range(3 * BUFFER_BYTES // SMALL_BYTES)]
    assert {len(piece) for piece in pieces} == {SMALL_BYTES}
    assert len(set(pieces)) == len(pieces)
    joined = b"".join(pieces)
    assert [len(source.bytes(count)) for count in (0, 1, 12, 10, 16, 17, 32, 5_000)] == [
        0,
        1,
        12,
        10,
        16,
        17,
        32,
        5_000,
    ]
    assert source.bytes(12) not in joined


def test_threads_never_share_a_piece():
    """A piece that two of them had would be a nonce used twice."""
    source = SystemRandomness()
    with ThreadPoolExecutor(8) as threads:
        pieces = [
            piece for part in threads.map(lambda _: [source.bytes(12) for _ in range(500)], range(16)) for piece in part
        ]
    assert len(set(pieces)) == len(pieces)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_takes_a_lump_of_its_own():
    """A child gives out nothing that its parent gives out."""
    source = SystemRandomness()
    source.bytes(12)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"".join(source.bytes(12) for _ in range(40)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 480)
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 480
    ours = [source.bytes(12) for _ in range(40)]
    assert not any(piece in theirs for piece in ours)
