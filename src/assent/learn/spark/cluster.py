"""The shuffle on Spark: pieces are made where the data is, added up place by place, and fetched one after the other.

Only this module gives work to a Spark session; the code that runs in an executor is in this package.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from assent.learn.spark.pieces import Box, Piece, SourceChanged, merged
from assent.terms.errors import AssentError, SparkUnavailable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession

_COLUMNS: Final = "place int, readings binary, data binary"
#: Pieces go to Spark in batches of about so many bytes.
_BATCH_BYTES: Final = 1 << 24
#: One task adds up so many places.
_PLACES_TOGETHER: Final = 8
#: Up to so many bytes the driver adds up by itself, because another round of the machines takes longer.
DRIVER_BYTES: Final = 1 << 29
#: The driver fetches about so many bytes at a time: Java has several copies of them, in a heap of 1 GB by default.
_FETCHED_BYTES: Final = 3 << 25
_MARK: Final = "assent-error:"
_EXECUTOR_ERROR: Final = re.compile(re.escape(_MARK) + r" (\{.*\})")

Value = TypeVar("Value")

#: Makes the pieces of one part from its rows.
Contribute = Callable[[int, Iterator["pa.RecordBatch"]], Iterator[Piece]]
#: Opens the boxes of a run inside an executor: (unseal, seal).
Boxes = Callable[[], tuple[Box, Box]]


class ExecutorError(Exception):
    """An error of an executor as one line that the driver can read and that has no data in it."""


def add_up(rows: DataFrame, places: int, contribute: Contribute, boxes: Boxes) -> Iterator[Piece]:
    """Let each partition of `rows` make its pieces at `places` places; yield pieces that add up to their sum.

    Where all are small, pieces come as they were made; else they are added up first, and each place comes once.
    Raises the executor's error (`AssentError`, `SourceChanged`), or `SparkUnavailable` for any other end of the job.
    """
    with _made(rows, contribute) as (made, sizes):
        yield from _as_made(made, sizes) if sizes.total() <= DRIVER_BYTES else _added_up(made, places, boxes)


def bring(rows: DataFrame, contribute: Contribute) -> Iterator[Piece]:
    """Let each partition of `rows` make its pieces; yield them as they were made. Raises as `add_up`."""
    with _made(rows, contribute) as (made, sizes):
        yield from _as_made(made, sizes)


def broadcast(spark: SparkSession, value: Value) -> Broadcast[Value]:
    """Send a value to every executor that needs it; `destroy` it afterwards. Raises `SparkUnavailable`."""
    try:
        return spark.sparkContext.broadcast(value)
    except Exception as error:
        raise meaning_of(error) from error


@contextmanager
def _made(rows: DataFrame, contribute: Contribute) -> Iterator[tuple[DataFrame, Counter[int]]]:
    """Let executors make all pieces, and keep them meanwhile, with the number of bytes at each place."""
    from pyspark import StorageLevel  # noqa: PLC0415 - an extra

    # On disk: no piece is made twice while the machines live, and all are made again when one dies.
    made = rows.mapInArrow(_contributor(contribute), _COLUMNS).persist(StorageLevel.DISK_ONLY)
    try:
        yield made, _sizes(made)
    except (AssentError, SourceChanged, GeneratorExit):
        raise
    except Exception as error:
        raise meaning_of(error) from error
    finally:
        made.unpersist()


def _sizes(made: DataFrame) -> Counter[int]:
    """Let executors make all pieces, on every core, and return the number of bytes at each place."""
    from pyspark.sql import functions  # noqa: PLC0415 - an extra

    of_place = made.groupBy("place").agg(functions.sum(functions.length("data")))
    return Counter(dict(map(tuple, of_place.collect())))


def _as_made(made: DataFrame, sizes: Mapping[int, int]) -> Iterator[Piece]:
    """Yield pieces in the order of places, some places at a time; the next ones are fetched meanwhile."""
    from pyspark.sql import functions  # noqa: PLC0415 - an extra

    def fetch(first: int, last: int) -> list[pa.RecordBatch]:
        some: Any = made.where(functions.col("place").between(first, last))
        # As Arrow: as rows they would be pickled, which makes bytes half as long again.
        fetched: list[pa.RecordBatch] = some._collect_as_arrow()  # noqa: SLF001 - `toArrow` is of Spark 4
        return fetched

    with ThreadPoolExecutor(1) as pool:
        coming: deque[Future[list[pa.RecordBatch]]] = deque()
        for first, last in runs(sizes, _FETCHED_BYTES):
            coming.append(pool.submit(fetch, first, last))
            if len(coming) > 1:
                yield from _pieces(coming.popleft().result())
        for each in coming:
            yield from _pieces(each.result())


def _added_up(made: DataFrame, places: int, boxes: Boxes) -> Iterator[Piece]:
    """Let executors add up the pieces of each place; yield one partition after the other."""
    from pyspark import StorageLevel  # noqa: PLC0415 - an extra

    # Few places in a partition: the driver fetches little at a time, and every core has places to add up.
    together = made.repartition(-(-places // _PLACES_TOGETHER), "place").groupBy("place")
    whole = together.applyInPandas(_merger(boxes), _COLUMNS).persist(StorageLevel.DISK_ONLY)
    try:
        # All are added up at once; then they come one by one, so that the driver never has more than one partition.
        whole.count()
        for row in whole.toLocalIterator(prefetchPartitions=True):
            yield Piece(int(row["place"]), bytes(row["readings"]), bytes(row["data"]))
    finally:
        whole.unpersist()


def runs(weights: Mapping[int, int], most: int) -> Iterator[tuple[int, int]]:
    """Yield runs (first, last) of places that together weigh at most `most`, or are one place."""
    run: list[int] = []
    filled = 0
    for place, weight in sorted(weights.items()):
        if run and filled + weight > most:
            yield run[0], run[-1]
            run, filled = [], 0
        run.append(place)
        filled += weight
    if run:
        yield run[0], run[-1]


def meaning_of(error: Exception) -> Exception:
    """Return the executor's own error for the error that ended a job."""
    found = _EXECUTOR_ERROR.search(str(error))
    if found is None:
        return SparkUnavailable(
            f"Spark ended the job: {type(error).__name__}.",
            advice="Read the driver's and the executors' logs; nothing was changed.",
        )
    words = json.loads(found[1])
    if words["code"] == SourceChanged.__name__:
        return SourceChanged(words["message"])
    kinds = {each.code: each for each in AssentError.__subclasses__()}
    return kinds.get(words["code"], AssentError)(words["message"], advice=words["advice"])


def _as_executor_error(error: Exception) -> ExecutorError:
    """Return an error without the executor's data: only the texts of our own errors are known to be free of it."""
    if isinstance(error, AssentError):
        words = {"code": error.code, "message": error.message, "advice": error.advice}
    elif isinstance(error, SourceChanged):
        words = {"code": SourceChanged.__name__, "message": str(error), "advice": ""}
    else:
        words = {
            "code": AssentError.code,
            "message": f"An executor could not do its part ({type(error).__name__}).",
            "advice": "Read docs/spark.md; nothing was changed.",
        }
    return ExecutorError(f"{_MARK} {json.dumps(words)}")


def _contributor(contribute: Contribute) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the executor's function from one partition of rows to its pieces."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext  # noqa: PLC0415 - an extra

        context: Any = TaskContext.get()
        try:
            yield from _batches(contribute(context.partitionId(), batches))
        except Exception as error:  # noqa: BLE001 - any error's text may hold data
            raise _as_executor_error(error) from None

    return run


def _pieces(batches: list[pa.RecordBatch]) -> Iterator[Piece]:
    for batch in batches:
        yield from map(Piece._make, zip(*batch.to_pydict().values(), strict=True))


def _batches(pieces: Iterable[Piece]) -> Iterator[pa.RecordBatch]:
    waiting: list[Piece] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece.data)
        if size >= _BATCH_BYTES:
            yield _batch(waiting)
            waiting, size = [], 0
    yield _batch(waiting)


def _batch(pieces: list[Piece]) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    kinds = {"place": pa.int32(), "readings": pa.binary(), "data": pa.binary()}
    return pa.RecordBatch.from_pydict(
        {name: pa.array([getattr(each, name) for each in pieces], kind) for name, kind in kinds.items()}
    )


def _merger(boxes: Boxes) -> Callable[[tuple[Any, ...], pd.DataFrame], pd.DataFrame]:
    """Return the executor's function from all pieces of one place to one piece."""

    def run(key: tuple[Any, ...], rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd  # noqa: PLC0415 - an extra

        try:
            piece = merged(int(key[0]), list(rows["readings"]), list(rows["data"]), *boxes())
        except Exception as error:  # noqa: BLE001 - any error's text may hold data
            raise _as_executor_error(error) from None
        return pd.DataFrame({"place": [piece.place], "readings": [piece.readings], "data": [piece.data]})

    return run
