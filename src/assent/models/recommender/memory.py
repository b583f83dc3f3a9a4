"""Memory checks before allocation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from assent.models.recommender.settings import NEIGHBOURS, RecommenderSettings
from assent.sums import PairSum
from assent.terms.errors import NotEnoughMemory

#: One n x n array, and a tenth more for pending terms and blocks.
_SHARE: Final = 1.1
#: One pair of the sum: an int32 and an int64; and as much again while blocks are put together.
_PAIR_BYTES: Final = 12
#: One entry of the weights: by column and by row, number and weight; and their copies while rows are made.
_WEIGHT_BYTES: Final = 40
#: One entry of a row while neighbours are chosen.
_CHOOSING_BYTES: Final = 80
#: Entries of symmetric rows in memory at once, for each thread, while neighbours are chosen.
BLOCK_ENTRIES: Final = 8_000_000


def size_of(count: int) -> str:
    """Return a number of bytes as text: 2.5 GB, or 130 MB, or 0.4 MB."""
    megabytes = count / 1e6
    return f"{megabytes / 1_000:.1f} GB" if megabytes >= 1_000 else f"{megabytes:.{0 if megabytes >= 10 else 1}f} MB"


def dense_bytes(columns: int, dtype: str) -> int:
    """Return the peak memory of a dense solve over `columns` items, in bytes."""
    return int(columns * columns * np.dtype(dtype).itemsize * _SHARE)


def available_bytes(root: Path = Path("/")) -> int:
    """Return the memory that can still be allocated, in bytes: the system's, or less in a container."""
    return min(_system_bytes(root), _container_bytes(root))


def _system_bytes(root: Path) -> int:
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _container_bytes(root: Path) -> int:
    folder = root / "sys/fs/cgroup"
    try:
        most = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return 1 << 62
    return max(most - used + _container_file_bytes(folder), 0)


def _container_file_bytes(folder: Path) -> int:
    """Return the bytes of file pages in a container's memory: the kernel frees them when memory is short.

    Without them no memory would seem free right after a large model file was read.
    """
    try:
        lines = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(value) for name, value in lines if name in {"active_file", "inactive_file"})


def float_copy_bytes(total: PairSum, settings: RecommenderSettings) -> int:
    """Return the bytes of the float image of a sum beside a dense inverse, from which neighbours are read; else 0."""
    return total.float_copy_bytes(settings.dtype) if settings.neighbour_share else 0


def check_neighbours_fit(total: PairSum, settings: RecommenderSettings, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory`, with the figures, when the image of a dense model's neighbours does not fit.

    It is checked before a solve; a model from a file is checked with its first answer.
    """
    needed = float_copy_bytes(total, settings)
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    raise NotEnoughMemory(
        f"Reading the neighbours of {total.columns} items takes {size_of(needed)} in {settings.dtype}; "
        f"{size_of(available)} are free.",
        advice='Fit the model again with form="sparse", which takes less, or neighbour_share=0, which needs none of '
        "it. Nothing was allocated.",
    )


def check_dense_fits(columns: int, dtype: str, memory_bytes: int | None, neighbours_bytes: int = 0) -> None:
    """Raise `NotEnoughMemory`, with the figures, when a dense model over `columns` items does not fit.

    `neighbours_bytes` is `float_copy_bytes` of its sum.
    """
    needed = dense_bytes(columns, dtype) + neighbours_bytes
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    advice = 'The sparse form takes less: form="auto" changes to it by itself, form="sparse" asks for it.'
    if dtype == "float64":
        advice += " float32 takes half."
    made = "Nothing was allocated."
    if neighbours_bytes:
        advice += f" neighbour_share=0 spares {size_of(neighbours_bytes)}."
        made = "Nothing was allocated beside the sum."
    fits = int((max(available - neighbours_bytes, 0) / (np.dtype(dtype).itemsize * _SHARE)) ** 0.5)
    raise NotEnoughMemory(
        f"A dense model over {columns} items takes {size_of(needed)} in {dtype}; {size_of(available)} are free.",
        advice=f"{advice} Densely, up to {fits} items fit here. {made}",
    )


def pairs_at_most(matrix: Any) -> int:
    """Return an upper bound for the pairs of the sum over a CSR [people, items]."""
    lengths = np.diff(matrix.indptr).astype(np.int64)
    columns = int(matrix.shape[1])
    return min(int((lengths * (lengths + 1) // 2).sum()), columns * (columns + 1) // 2)


def sparse_bytes(columns: int, pairs: int) -> int:
    """Return the peak memory of a sparse solve beside its sum of `pairs` pairs, in bytes."""
    workers = os.cpu_count() or 1
    return columns * NEIGHBOURS * _WEIGHT_BYTES + workers * min(BLOCK_ENTRIES, 2 * pairs) * _CHOOSING_BYTES


def check_sparse_fits(columns: int, pairs: int, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory`, with the figures, when sparse weights beside a sum of `pairs` pairs do not fit."""
    _check_fits(sparse_bytes(columns, pairs), memory_bytes, f"A sparse model over {columns} items")


def check_sum_fits(matrix: Any, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory` when the sum over a CSR [people, items] and its sparse weights may not fit."""
    pairs = pairs_at_most(matrix)
    columns = int(matrix.shape[1])
    needed = pairs * _PAIR_BYTES + sparse_bytes(columns, pairs)
    _check_fits(needed, memory_bytes, f"A sum of up to {pairs} pairs, and a sparse model over {columns} items,")


def _check_fits(needed: int, memory_bytes: int | None, what: str) -> None:
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    raise NotEnoughMemory(
        f"{what} takes {size_of(needed)}; {size_of(available)} are free.",
        advice="Keep fewer items of the people who hold the most (pairs grow with the square), or fewer items. Nothing "
        "was allocated.",
    )
