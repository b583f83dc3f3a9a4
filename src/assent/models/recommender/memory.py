"""Whether a model fits: asked before anything large is allocated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from assent.models.recommender.settings import Settings
from assent.sums import PairSum
from assent.terms.errors import NotEnoughMemory

#: One n x n array, and a tenth more for the terms that wait and for blocks.
_SHARE: Final = 1.1


def size_of(count: int) -> str:
    """Return a number of bytes in words: 2.5 GB, or 130 MB, or 0.4 MB."""
    megabytes = count / 1e6
    return f"{megabytes / 1_000:.1f} GB" if megabytes >= 1_000 else f"{megabytes:.{0 if megabytes >= 10 else 1}f} MB"


def dense_bytes(columns: int, dtype: str) -> int:
    """Return the bytes that solving a dense model over `columns` items takes at its peak."""
    return int(columns * columns * np.dtype(dtype).itemsize * _SHARE)


def available_bytes(root: Path = Path("/")) -> int:
    """Return how much memory can still be allocated here: what the system has left, or less where a container ends."""
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
    """Return how much of what a container uses holds pages of files: the kernel lets go of them when memory is short.

    Whoever has just read a large model file would otherwise be told that nothing is free.
    """
    try:
        lines = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(value) for name, value in lines if name in {"active_file", "inactive_file"})


def image_bytes(total: PairSum, settings: Settings) -> int:
    """Return the bytes that a dense model takes beside its inverse to read its neighbours; nothing without any."""
    return total.image_bytes(settings.dtype) if settings.neighbour_share else 0


def refuse_if_neighbours_too_large(total: PairSum, settings: Settings, memory_bytes: int | None) -> None:
    """Raise `NotEnoughMemory`, with the figures, when what a dense model reads its neighbours from does not fit.

    It is counted before a model is solved; but one that comes from a file finds out with its first answer.
    """
    needed = image_bytes(total, settings)
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    message = (
        f"Reading the neighbours of {total.columns} items takes {size_of(needed)} in {settings.dtype}; "
        f"{size_of(available)} are free."
    )
    advice = 'Fit the model again with form="sparse", which takes less, or neighbour_share=0, which needs none of it.'
    raise NotEnoughMemory(message, advice=f"{advice} Nothing was allocated.")


def refuse_if_too_large(columns: int, dtype: str, memory_bytes: int | None, neighbours_bytes: int = 0) -> None:
    """Raise `NotEnoughMemory`, with the figures, when a dense model over `columns` items does not fit.

    `neighbours_bytes` is what `image_bytes` says of its sum.
    """
    needed = dense_bytes(columns, dtype) + neighbours_bytes
    available = available_bytes() if memory_bytes is None else memory_bytes
    if needed <= available:
        return
    message = f"A dense model over {columns} items takes {size_of(needed)} in {dtype}; {size_of(available)} are free."
    advice = 'The sparse form takes less: form="auto" changes to it by itself, form="sparse" asks for it.'
    if dtype == "float64":
        advice += " float32 takes half."
    made = "Nothing was allocated."
    if neighbours_bytes:
        advice += f" neighbour_share=0 spares {size_of(neighbours_bytes)}."
        made = "Nothing was allocated beside the sum."
    fits = int((max(available - neighbours_bytes, 0) / (np.dtype(dtype).itemsize * _SHARE)) ** 0.5)
    raise NotEnoughMemory(message, advice=f"{advice} Densely, up to {fits} items fit here. {made}")
