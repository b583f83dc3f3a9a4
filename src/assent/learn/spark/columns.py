"""Sparse models solved on executors: each has the whole sum, and solves a block of its columns at a time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.learn.spark import blocks, cluster
from assent.learn.spark.pieces import Box, Piece, as_it_is, plain_boxes
from assent.models.recommender import RecommenderSettings
from assent.models.recommender.memory import BLOCK_ENTRIES
from assent.models.recommender.settings import NEIGHBOURS
from assent.models.recommender.sparse.solver import Columns, Progress, Solver, solve_some
from assent.sums import PairSum
from assent.sums.sum_reader import SumReader
from assent.terms.errors import Corrupt

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import Broadcast
    from pyspark.sql import SparkSession

#: The sum travels in so many bytes at a time: Java has several copies of them.
_SHIPPED_BYTES: Final = 1 << 26
#: The number of tasks for each core.
_TASKS_EACH: Final = 4
#: An executor keeps a sum so long after its last task: the next one of the same run comes at once.
_KEPT_SECONDS: Final = 10.0
#: The place under which columns are sealed: no block of a sum has such a place.
_PLACE: Final = 1 << 32
_TYPES: Final = ("<i4", "<f8", "<f4", "<f4", "<f4")

#: Opens the boxes of a run in this process, while they are needed.
OwnBoxes = Callable[[], AbstractContextManager[tuple[Box, Box]]]
#: Some blocks of a sum: their places, and their bytes, boxed.
_Shipment = list[tuple[int, bytes]]


def solver_on(
    spark: SparkSession,
    boxes: cluster.Boxes = plain_boxes,
    own: OwnBoxes = lambda: nullcontext((as_it_is, as_it_is)),
) -> Solver:
    """Return a solver of sparse columns on a session's executors, for `Recommender.of_sum(solver=...)`.

    The columns equal those of `solve_here`, to the last bit where the executors' linear algebra is the same. `boxes`
    opens the boxes of a run in an executor, `own` in this process. The solver raises an executor's error,
    `SparkUnavailable` and `Corrupt`.
    """
    return functools.partial(_solve, spark, boxes, own)


def _solve(
    spark: SparkSession,
    boxes: cluster.Boxes,
    own: OwnBoxes,
    total: PairSum,
    settings: RecommenderSettings,
    progress: Progress | None = None,
) -> Columns:
    bounds = _cut(SumReader(total).lengths(), spark.sparkContext.defaultParallelism)
    tasks = len(bounds) - 1
    shaped = zip(_shapes(total.columns), _TYPES, strict=True)
    whole: list[NDArray[Any]] = [np.empty(shape, kind) for shape, kind in shaped]
    done = np.zeros(tasks, np.bool_)
    with own() as (unseal, seal), _shipped(spark, total, seal) as shipments:
        work = _Columns(total.digest(), settings, tuple(bounds), shipments, boxes)
        for piece in cluster.bring(spark.range(0, tasks, 1, tasks), work):
            first, last = bounds[piece.place : piece.place + 2]
            part = _unpacked(unseal(_PLACE + piece.place, piece.data), last - first)
            for all_of_it, some in zip(whole, part, strict=True):
                all_of_it[first:last] = some
            done[piece.place] = True
            if progress is not None:
                progress(float(done.mean()))
    if not done.all():
        raise _do_not_fit()
    return Columns(*whole)


def _cut(lengths: NDArray[np.int64], cores: int) -> list[int]:
    """Return the bounds of each task's columns, given their numbers of entries, int64 [columns]: about equal work."""
    reach = np.concatenate(([0], np.cumsum(lengths + NEIGHBOURS)))
    tasks = min(max(_TASKS_EACH * cores, -(-int(reach[-1]) // BLOCK_ENTRIES)), max(len(lengths), 1))
    found = np.searchsorted(reach, np.linspace(0, reach[-1], tasks + 1))
    return [int(bound) for bound in np.unique(found)] if len(lengths) else [0, 0]


@contextmanager
def _shipped(spark: SparkSession, total: PairSum, seal: Box) -> Iterator[list[Broadcast[_Shipment]]]:
    """Send the blocks of a sum to every executor, and remove them at the end."""
    shipments: list[Broadcast[_Shipment]] = []
    waiting: _Shipment = []
    try:
        for place, block in enumerate(blocks.blocks_of(total, blocks.cut(total.columns))):
            waiting.append((place, seal(place, blocks.pack(block))))
            if sum(len(data) for _, data in waiting) >= _SHIPPED_BYTES:
                shipments.append(cluster.broadcast(spark, waiting))
                waiting = []
        shipments.append(cluster.broadcast(spark, waiting))
        yield shipments
    finally:
        for each in shipments:
            each.destroy()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Runs in an executor: a row is the number of a task, and the task's columns are yielded."""

    digest: str
    settings: RecommenderSettings
    bounds: tuple[int, ...]
    shipments: Sequence[Any]
    boxes: cluster.Boxes

    def __call__(self, _partition: int, batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
        unseal, seal = self.boxes()
        with _KEPT_SUM.reader(self.digest, lambda: self._read(unseal)) as reader:
            for batch in batches:
                for task in batch.column(0).to_pylist():
                    items = np.arange(*self.bounds[task : task + 2], dtype=np.int32)
                    # One thread: Spark gives every core a task of its own.
                    solved = solve_some(reader, self.settings, items, threads=1)
                    yield Piece(task, b"", seal(_PLACE + task, _packed(solved)))

    def _read(self, unseal: Box) -> SumReader:
        """Return the shipped sum; raises `Corrupt` when it does not have the digest."""
        parts = [blocks.unpack(unseal(place, data)) for each in self.shipments for place, data in each.value]
        total = blocks.sum_of_blocks(parts, parts[0].columns)
        if total.digest() != self.digest:
            raise _do_not_fit()
        return SumReader(total)


class _KeptSum:
    """The sum that this process solves, by its digest: tasks that follow each other have the same one.

    It is dropped soon after the last task: people leave sums, and no erasure reaches the memory of an executor.
    """

    def __init__(self) -> None:
        self.kept: tuple[str, SumReader] | None = None
        self.timer: threading.Timer | None = None

    @contextmanager
    def reader(self, digest: str, read: Callable[[], SumReader]) -> Iterator[SumReader]:
        """Keep the sum of a digest, which `read` reads, for a task and some seconds longer."""
        if self.timer is not None:
            self.timer.cancel()
        kept = self.kept
        if kept is None or kept[0] != digest:
            self.kept = None
            self.kept = kept = (digest, read())
        try:
            yield kept[1]
        finally:
            self.timer = threading.Timer(_KEPT_SECONDS, self._drop)
            self.timer.daemon = True
            self.timer.start()

    def _drop(self) -> None:
        self.kept = None


_KEPT_SUM: Final = _KeptSum()


def _shapes(columns: int) -> list[tuple[int, ...]]:
    """Return the shapes of the fields of `Columns`."""
    near = (columns, NEIGHBOURS)
    return [near, (columns,), near, near, (columns,)]


def _packed(solved: Sequence[Any]) -> bytes:
    """Return the fields of `Columns` as bytes, one after the other."""
    return b"".join(part.astype(kind).tobytes() for part, kind in zip(solved, _TYPES, strict=True))


def _unpacked(packed: bytes, columns: int) -> list[NDArray[Any]]:
    """Read what `_packed` wrote; raises `Corrupt` when it is of another size."""
    parts: list[NDArray[Any]] = []
    at = 0
    sizes = [int(np.prod(shape)) for shape in _shapes(columns)]
    if len(packed) != sum(size * np.dtype(kind).itemsize for size, kind in zip(sizes, _TYPES, strict=True)):
        raise _do_not_fit()
    for shape, size, kind in zip(_shapes(columns), sizes, _TYPES, strict=True):
        parts.append(np.frombuffer(packed, kind, size, at).reshape(shape))
        at += parts[-1].nbytes
    return parts


def _do_not_fit() -> Corrupt:
    return Corrupt("What travelled between driver and executors does not belong to the sum.", advice="Train again.")
