"""The sum of a plain Parquet file of actions, for the bare `Recommender`, without store, consent and keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.learn.spark import blocks, cluster
from assent.learn.spark.pieces import (
    PAIRS_AT_ONCE,
    BlockBuffer,
    Piece,
    SourceChanged,
    as_it_is,
    name_reading,
    plain_boxes,
    sum_of_pieces,
)
from assent.models.recommender import RecommenderSettings
from assent.models.recommender.matrix import people_by_items, weigh
from assent.sums import COLUMNS_MAX, PairSum
from assent.terms.errors import Busy, InvalidInput
from assent.terms.limits import limit

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

#: The rows of one part, at most, where people's histories are of ordinary length.
_PART_ROWS: Final = 5_000_000
#: A job whose file changes while it is read is repeated as often as a training.
_ATTEMPTS_MAX: Final = limit("train_attempts_max")
_WHOLE: Final = frozenset({"tinyint", "smallint", "int", "bigint"})


def sum_of_parquet(
    spark: SparkSession,
    path: str,
    columns: int | None = None,
    *,
    person: str = "person",
    item: str = "item",
    value: str | None = None,
    weight_exponent: float = RecommenderSettings().weight_exponent,
) -> PairSum:
    """Add up a Parquet file with a row for each action; `Recommender.of_sum` makes a model of the sum.

    `item` names a column of whole numbers from 0 to below `columns` (one past the largest unless given), `person` one
    of any kind, `value` one of whole numbers up to 63 (ones if left out); repeated items are added up. The sum is the
    one that `Recommender(weight_exponent=...).fit` makes of the same matrix, to the last bit. Raises
    `InvalidInput`, `SumOverflow`, `SparkUnavailable`, and `Busy` when the file kept changing.
    """
    RecommenderSettings(weight_exponent=weight_exponent)
    try:
        rows = spark.read.parquet(path)
    except Exception as error:
        raise InvalidInput(
            f"There is no Parquet file that can be read at {path} ({type(error).__name__}).",
            advice="Every executor must see it there: use storage that all of them share.",
        ) from error
    rows = _named(rows, [person, item, *([value] if value else [])])
    # Where the items are known, executors find wrong rows while reading, without a round for it.
    count, columns = (rows.count(), columns) if columns else _measured(rows, columns)
    if not count:
        raise InvalidInput("The file holds no actions.", advice="Give at least one person with one item.")
    if columns > COLUMNS_MAX:
        raise InvalidInput(f"A sum has at most {COLUMNS_MAX} items.", advice="Number the items from 0 on without gaps.")
    parts = max(spark.sparkContext.defaultParallelism, -(-count // _PART_ROWS))
    work, places = _PartSum(columns, weight_exponent), len(blocks.cut(columns)) - 1
    for _ in range(_ATTEMPTS_MAX):
        try:
            pieces = cluster.add_up(rows.repartition(parts, person), places, work, plain_boxes)
            return sum_of_pieces(pieces, parts, columns, as_it_is)[0]
        except SourceChanged:
            continue
        except InvalidInput:
            _measured(rows, columns)
            raise
    raise Busy("The file changed while it was read.", advice="Add up a file that nobody writes to.")


def _named(rows: DataFrame, names: list[str]) -> DataFrame:
    """Return the named columns: person, item, value. Raises `InvalidInput` when they are not there or hold no items."""
    kinds = dict(rows.dtypes)
    missing = [name for name in names if name not in kinds]
    if missing:
        raise InvalidInput(f"The file has no column '{missing[0]}'.", advice=f"It has: {', '.join(kinds)}.")
    if kinds[names[1]] not in _WHOLE:
        raise InvalidInput(
            f"The column '{names[1]}' does not hold whole numbers.",
            advice="Number the items from 0 on; the numbers are the columns of the sum.",
        )
    return rows.select(*names)


def _measured(rows: DataFrame, columns: int | None) -> tuple[int, int]:
    """Return the number of rows, and `columns` or one past the largest item. Raises `InvalidInput`."""
    from pyspark.sql import functions  # noqa: PLC0415 - an extra

    empty = functions.sum(sum((functions.col(name).isNull().cast("int") for name in rows.columns), functions.lit(0)))
    of_item = functions.col(rows.columns[1])
    count, least, most, nulls = rows.agg(
        functions.count(functions.lit(1)), functions.min(of_item), functions.max(of_item), empty
    ).collect()[0]
    if nulls:
        raise InvalidInput("The file holds rows without a person, an item or a value.", advice="Leave such rows out.")
    if not count:
        return 0, 1
    past = most + 1 if columns is None else columns
    if least < 0 or most >= past:
        raise InvalidInput(
            f"The items of the file go from {least} to {most}, those of the sum from 0 to {past - 1}.",
            advice="Number the items from 0 on, and give `columns` when there are more of them.",
        )
    return int(count), int(past)


@dataclass(frozen=True, slots=True)
class _PartSum:
    """Runs in an executor: yields the pieces of a part's sum from its rows."""

    columns: int
    weight_exponent: float

    def __call__(self, part: int, batches: Iterator[pa.RecordBatch]) -> Iterator[Piece]:
        matrix, weights = weigh(people_by_items(self._matrix(batches), self.columns), self.weight_exponent)
        buffer = BlockBuffer(blocks.cut(self.columns), as_it_is)
        for flush, (first, last) in enumerate(flushes(np.diff(matrix.indptr))):
            rows, weighed = matrix[first:last], weights[first:last]
            read = [np.ascontiguousarray(each).tobytes() for each in (rows.indptr, rows.indices, rows.data, weighed)]
            yield from buffer.add(name_reading(part, flush, read), PairSum.from_matrix(rows, weighed))
        yield from buffer.rest()

    def _matrix(self, batches: Iterator[pa.RecordBatch]) -> Any:
        """Return a part's rows as a CSR [people, columns], people sorted by name: equal rows give equal matrices."""
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.compute  # noqa: PLC0415 - an extra

        record_batches = list(batches)
        if not sum(len(each) for each in record_batches):
            return scipy.sparse.csr_matrix((0, self.columns))
        table = pa.Table.from_batches(record_batches).combine_chunks()
        ends = pyarrow.compute.min_max(table.column(1)).as_py()
        if any(column.null_count for column in table.columns) or ends["min"] < 0 or ends["max"] >= self.columns:
            raise InvalidInput(
                "The file holds an empty place, or an item that is none of the sum's.", advice="Leave such rows out."
            )
        named = table.column(0).combine_chunks().dictionary_encode()
        order = pyarrow.compute.sort_indices(named.dictionary).to_numpy()
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        items = table.column(1).to_numpy()
        values = table.column(2).to_numpy() if table.num_columns > 2 else np.ones(len(items))
        shape = (len(order), self.columns)
        return scipy.sparse.csr_matrix((values, (ranks[named.indices.to_numpy()], items)), shape=shape)


def flushes(lengths: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Yield runs of people (first, past the last) of at most `PAIRS_AT_ONCE` pairs or one person; at least one run.

    `lengths` int [people]: the number of items of each.
    """
    pairs = np.cumsum(lengths.astype(np.int64) * (lengths + 1) // 2)
    first = 0
    while first < len(pairs):
        done = int(pairs[first - 1]) if first else 0
        last = max(int(np.searchsorted(pairs, done + PAIRS_AT_ONCE, side="right")), first + 1)
        yield first, last
        first = last
    if not len(pairs):
        yield 0, 0
