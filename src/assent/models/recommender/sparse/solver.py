"""The solver of large sums: the nearest items of every item, then one small regression for each, on all processors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.memory import BLOCK_ENTRIES
from assent.models.recommender.settings import NEIGHBOURS, RecommenderSettings, octaves_of
from assent.sums import PairSum
from assent.sums.nearest import nearest
from assent.sums.sparse_systems import BATCH_COLUMNS, grouped_order, solve_columns
from assent.sums.sum_reader import SumReader

#: Columns solved in one task: long enough not to wait for each other, short enough to stop at once.
_TASK_COLUMNS: Final = BATCH_COLUMNS * 4
#: The share of the work that choosing takes, for the progress.
_CHOOSING_SHARE: Final = 0.25

Progress = Callable[[float], None]


def levels(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each item's count rounded down to a power of two (at least 8), float64 [n]; `counts` int64 [n]."""
    scaled: NDArray[np.float64] = np.exp2(octaves_of(counts), dtype=np.float64)
    return scaled


class ColumnChoice(NamedTuple):
    """The neighbours of items: `near` int32 [c, k], and `edges` float64 [c], the closeness of the last of them."""

    near: NDArray[np.int32]
    #: No item less close can become a neighbour; 0 where there are free places.
    edges: NDArray[np.float64]


def choose(
    reader: SumReader,
    octaves: NDArray[np.float64],
    items: NDArray[np.int32],
    progress: Progress | None = None,
    threads: int | None = None,
) -> ColumnChoice:
    """Return the neighbours of `items`, int32 [c] ascending, in blocks of bounded memory, on all or some `threads`.

    `octaves` float64 [n] of `levels`. The nearest are those of largest `G_ij / sqrt(octave of i)`, like a cosine:
    without the root, the most popular items would be near all items.
    """
    choice = ColumnChoice(np.empty((len(items), NEIGHBOURS), np.int32), np.empty(len(items)))
    bounds = [*_blocks(np.cumsum(reader.lengths()[items]))]
    alone = len(bounds) == 1

    def choose_block(first: int, last: int) -> None:
        some = items[first:last]
        starts, indices, values = rows_of(reader, some, threads) if alone else reader.rows(some)
        found = nearest(starts, indices, closeness(values, octaves[indices]), NEIGHBOURS)
        choice.near[first:last], choice.edges[first:last] = found

    tasks = [(choose_block, pair) for pair in bounds]
    run_all(tasks, None if progress is None else lambda item: progress(_CHOOSING_SHARE * item / len(items)), threads)
    return choice


def rows_of(
    reader: SumReader, items: NDArray[np.int32], threads: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the symmetric rows of `items`, int32 [c] ascending: starts int64 [c + 1], indices int32, values int64.

    It is done on all processors, or on `threads`.
    """
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        return reader.rows(items, pool.map)


def closeness(values: NDArray[np.int64], octaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the closeness of items, float64 [e], from entries of the sum, int64 [e], and octaves, float64 [e]."""
    close: NDArray[np.float64] = values / np.sqrt(octaves)
    return close


def _blocks(reach: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut the items into runs of at most `BLOCK_ENTRIES` entries (or one item)."""
    first, before = 0, 0
    while first < len(reach):
        last = max(first + 1, int(np.searchsorted(reach, before + BLOCK_ENTRIES, side="right")))
        yield first, last
        first, before = last, int(reach[last - 1])


class Solution(NamedTuple):
    """Columns of the model: `weights` and `together` float32 [c, k] of their neighbours, and `left` float32 [c]."""

    weights: NDArray[np.float32]
    #: The entries of the sum themselves, in units.
    together: NDArray[np.float32]
    #: The residual variance of each column given its neighbours: one over the diagonal of the inverse.
    left: NDArray[np.float32]


def regress(
    reader: SumReader,
    ridges: NDArray[np.float64],
    columns: NDArray[np.int32],
    near: NDArray[np.int32],
    progress: Progress | None = None,
    threads: int | None = None,
) -> Solution:
    """Solve `columns`, int32 [c], each from its neighbours `near`, int32 [c, k], on all processors or `threads`.

    `ridges` float64 [n].
    """
    solved = Solution(*(np.empty(shape, np.float32) for shape in (near.shape, near.shape, len(near))))
    order = grouped_order(near, reader.total.columns)

    def solve_task(first: int, last: int) -> None:
        for start in range(first, last, BATCH_COLUMNS):
            some = order[start : min(start + BATCH_COLUMNS, last)]
            for whole, part in zip(solved, solve_columns(reader, ridges, columns[some], near[some]), strict=True):
                whole[some] = part

    bounds = [*range(0, len(order), _TASK_COLUMNS), len(order)]
    tasks = [(solve_task, pair) for pair in itertools.pairwise(bounds)]
    share = None if progress is None else lambda column: progress(_after_choosing(column / len(order)))
    run_all(tasks, share, threads)
    return solved


def _after_choosing(share: float) -> float:
    return _CHOOSING_SHARE + (1.0 - _CHOOSING_SHARE) * share


class Columns(NamedTuple):
    """Solved columns: the fields of their `ColumnChoice`, then those of their `Solution`."""

    near: NDArray[np.int32]
    edges: NDArray[np.float64]
    weights: NDArray[np.float32]
    together: NDArray[np.float32]
    left: NDArray[np.float32]


#: Solves all columns of a sum: in this process, or on other machines with the same result.
Solver = Callable[[PairSum, RecommenderSettings, Progress | None], Columns]


def solve_here(total: PairSum, settings: RecommenderSettings, progress: Progress | None = None) -> Columns:
    """Solve all columns of a sum on all processors of this machine."""
    return solve_some(SumReader(total), settings, np.arange(total.columns, dtype=np.int32), progress)


def solve_some(
    reader: SumReader,
    settings: RecommenderSettings,
    items: NDArray[np.int32],
    progress: Progress | None = None,
    threads: int | None = None,
) -> Columns:
    """Solve the columns `items`, int32 [c] ascending: each is the same alone and among any others."""
    counts = reader.total.counts
    choice = choose(reader, levels(counts), items, progress, threads)
    return Columns(*choice, *regress(reader, settings.ridges(counts), items, choice.near, progress, threads))


def run_all(
    tasks: Sequence[tuple[Callable[[int, int], None], tuple[int, int]]],
    progress: Progress | None,
    threads: int | None = None,
) -> None:
    """Run tasks over ranges on all processors, or `threads`; `progress` gets the end of each finished range.

    When one fails, or the caller is interrupted, the waiting tasks are cancelled, and the error is raised.
    """
    if len(tasks) == 1:
        task, (first, last) = tasks[0]
        task(first, last)
        if progress is not None:
            progress(last)
        return
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        running = {pool.submit(task, *bounds): bounds[1] for task, bounds in tasks}
        try:
            for done in as_completed(running):
                done.result()
                if progress is not None:
                    progress(running[done])
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
