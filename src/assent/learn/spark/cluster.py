"""The shuffle: pieces are made where the data is, added up place by place, and taken in one after the other.

The only module that hands work to a Spark session; everything that runs in an executor is a function of this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from assent.learn.spark.pieces import Box, Moved, Piece, merged
from assent.terms.errors import AssentError, SparkUnavailable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame

_COLUMNS: Final = "place int, readings binary, data binary"
#: Pieces go to Spark in batches of about this much.
_BATCH_BYTES: Final = 1 << 24
#: How many places are added up by one task.
_PLACES_TOGETHER: Final = 8
_MARK: Final = "assent-error:"
_TOLD: Final = re.compile(re.escape(_MARK) + r" (\{.*\})")

#: Makes the pieces of one part from its rows.
Contribute = Callable[[int, Iterator["pa.RecordBatch"]], Iterator[Piece]]
#: Opens the boxes of a run inside an executor: (unseal, seal).
Boxes = Callable[[], tuple[Box, Box]]


class ToldError(Exception):
    """An error of an executor in our own words: one line that the driver can read."""


def add_up(rows: DataFrame, places: int, contribute: Contribute, boxes: Boxes) -> Iterator[Piece]:
    """Have each partition of `rows` contribute its pieces at `places` places; yield their sum, a piece for each place.

    Raises what an executor told (`AssentError`, `Moved`), or `SparkUnavailable` for whatever else ended the job.
    """
    from pyspark import StorageLevel  # noqa: PLC0415 - an extra

    made = rows.mapInArrow(_contributor(contribute), _COLUMNS)
    # Few places in a partition: what the driver takes in at a time stays small, and every core has something to add.
    together = made.repartition(-(-places // _PLACES_TOGETHER), "place").groupBy("place")
    whole = together.applyInPandas(_merger(boxes), _COLUMNS).persist(StorageLevel.DISK_ONLY)
    try:
        # All at once first; then one after the other, so that the driver never holds more than a partition of it.
        whole.count()
        for row in whole.toLocalIterator(prefetchPartitions=True):
            yield Piece(int(row["place"]), bytes(row["readings"]), bytes(row["data"]))
    except (AssentError, Moved, GeneratorExit):
        raise
    except Exception as error:
        raise told(error) from error
    finally:
        whole.unpersist()


def told(error: Exception) -> Exception:
    """Return what an executor meant by the error that ended a job."""
    found = _TOLD.search(str(error))
    if found is None:
        message = f"Spark ended the job: {type(error).__name__}."
        return SparkUnavailable(message, advice="Read the driver's and the executors' logs; nothing was changed.")
    words = json.loads(found[1])
    if words["code"] == Moved.__name__:
        return Moved(words["message"])
    kinds = {each.code: each for each in AssentError.__subclasses__()}
    return kinds.get(words["code"], AssentError)(words["message"], advice=words["advice"])


def _in_our_words(error: Exception) -> ToldError:
    """Tell an error without anything of what was being worked on: only our own errors are known to hold nothing."""
    if isinstance(error, AssentError):
        words = {"code": error.code, "message": error.message, "advice": error.advice}
    elif isinstance(error, Moved):
        words = {"code": Moved.__name__, "message": str(error), "advice": ""}
    else:
        message = f"An executor could not do its part ({type(error).__name__})."
        words = {"code": AssentError.code, "message": message, "advice": "Read docs/spark.md; nothing was changed."}
    return ToldError(f"{_MARK} {json.dumps(words)}")


def _contributor(contribute: Contribute) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what runs in an executor: one partition of rows in, its pieces out."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext  # noqa: PLC0415 - an extra

        context: Any = TaskContext.get()
        try:
            yield from _batches(contribute(context.partitionId(), batches))
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold data
            raise _in_our_words(error) from None

    return run


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
    """Return what runs in an executor: all pieces of one place in, one piece out."""

    def run(key: tuple[Any, ...], rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd  # noqa: PLC0415 - an extra

        try:
            piece = merged(int(key[0]), list(rows["readings"]), list(rows["data"]), *boxes())
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold data
            raise _in_our_words(error) from None
        return pd.DataFrame({"place": [piece.place], "readings": [piece.readings], "data": [piece.data]})

    return run
