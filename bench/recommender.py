"""The recommender: quality beside its peers."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import polars as pl
import scipy.sparse
from numpy.typing import NDArray

from assent import Recommender
from assent.models.metrics import recall_and_ndcg
from assent.models.recommender import fresh_values
from bench import retail
from bench.matrices import timed
from bench.table import Row, show, unmeasured

#: The file, for measurements that use it with its split.
ONLINE_RETAIL: Final = retail.ONLINE_RETAIL
CUT: Final = datetime(2011, 10, 1)  # noqa: DTZ001 - the file has no time zone
COUNT: Final = 20
#: Plain EASE's ridge, and ALS's weight and regularization: the best of a small grid on the weeks before the cut.
EASE_RIDGE: Final = 300.0
ALS_ALPHA: Final = 1.0
ALS_REGULARIZATION: Final = 10.0


@dataclass(frozen=True, slots=True)
class Split:
    """Orders before and after a day: the training part, 0/1 and with values by age, and the new items after it."""

    training: Any
    fresh: Any
    new: Any

    @property
    def tested(self) -> NDArray[np.intp]:
        """The people who bought something new to them afterwards."""
        return np.flatnonzero(np.diff(self.new.indptr))


def split_by_time(cut: datetime = CUT, end: datetime | None = None) -> Split:
    """Read Online Retail (D. Chen 2015, UCI, CC BY 4.0) and split it at `cut`, leaving out what is after `end`.

    Lines with a customer id with a quantity and a price above zero and a stock code that begins with five digits;
    people with an order before the cut; items that were bought before it.
    """
    when = pl.col("InvoiceDate")
    lines = pl.read_parquet(ONLINE_RETAIL).filter(
        pl.col("CustomerID").is_not_null(),
        pl.col("Quantity") > 0,
        pl.col("UnitPrice") > 0,
        pl.col("StockCode").cast(pl.String).str.contains(r"^\d{5}"),
        when < (end or datetime.max),  # noqa: DTZ901 - as CUT
    )
    before, after = lines.filter(when < cut), lines.filter(when >= cut)
    people = before.select(pl.col("CustomerID").unique().sort()).with_row_index("person")
    items = before.select(pl.col("StockCode").unique().sort()).with_row_index("item")
    shape = (len(people), len(items))

    def pairs(part: pl.DataFrame) -> pl.DataFrame:
        known = part.join(people, on="CustomerID").join(items, on="StockCode")
        return known.group_by("person", "item").agg(when.max().dt.epoch("d").alias("day"))

    def matrix(part: pl.DataFrame, values: NDArray[Any]) -> Any:
        places = (part["person"].to_numpy(), part["item"].to_numpy())
        return scipy.sparse.csr_matrix((values.astype(np.float64), places), shape=shape)

    first = pairs(before)
    training, days = matrix(first, np.ones(len(first))), matrix(first, first["day"].to_numpy())
    fresh = days.copy()
    for start, stop in zip(days.indptr[:-1], days.indptr[1:], strict=True):
        fresh.data[start:stop] = fresh_values(days.data[start:stop].astype(np.int64))
    second = pairs(after)
    bought = matrix(second, np.ones(len(second)))
    new = (bought - bought.multiply(training)).tocsr()
    new.eliminate_zeros()
    return Split(training, fresh, new)


def lists_of(scores: NDArray[Any], training: Any) -> NDArray[np.intp]:
    """Return the best `COUNT` items of dense scores [people, items], without `training`: int64 [people, COUNT]."""
    scores = np.array(scores, np.float64)
    entries = training.tocoo()
    scores[entries.row, entries.col] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :COUNT]


def ours(split: Split) -> NDArray[Any]:
    """Recommend with the defaults, from fresh values."""
    return Recommender().fit(split.fresh).recommend(split.fresh[split.tested], COUNT)[0]


def ours_without_days(split: Split) -> NDArray[Any]:
    """Recommend with the defaults, from the training part alone."""
    return Recommender().fit(split.training).recommend(split.training[split.tested], COUNT)[0]


def plain_ease(split: Split) -> NDArray[Any]:
    """Recommend by the formula of Steck 2019, without anything else."""
    gram = (split.training.T @ split.training).toarray()
    inverse = np.linalg.inv(gram + EASE_RIDGE * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    training = split.training[split.tested]
    return lists_of(training @ weights, training)


def popular(split: Split) -> NDArray[Any]:
    """Recommend what most people hold."""
    training = split.training[split.tested]
    return lists_of(np.tile(np.asarray(split.training.sum(axis=0)).ravel(), (training.shape[0], 1)), training)


def fitted_als(training: Any) -> Any:
    """Fit implicit's alternating least squares with 64 factors, 15 iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises on thread settings
        from implicit.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=64,
            alpha=ALS_ALPHA,
            regularization=ALS_REGULARIZATION,
            iterations=15,
            random_state=0,
            num_threads=os.cpu_count() or 1,
        )
        model.fit(training.astype(np.float32), show_progress=False)
    return model


def implicit_als(split: Split) -> NDArray[Any]:
    """Recommend by implicit's alternating least squares with 64 factors."""
    model = fitted_als(split.training)
    training = split.training[split.tested]
    return lists_of(model.user_factors[split.tested] @ model.item_factors.T, training)


def quality_rows() -> list[Row]:
    """Measure Recall@20 and NDCG@20 on Online Retail, split by time, beside the peers of the same run."""
    if not ONLINE_RETAIL.exists():
        return [unmeasured("quality on Online Retail", retail.MISSING)]
    split = split_by_time()
    figures, seconds = {}, {}
    for name, recommend in (
        ("ours", ours),
        ("ours, without days", ours_without_days),
        ("plain EASE", plain_ease),
        ("implicit ALS, 64 factors", implicit_als),
        ("popularity", popular),
    ):
        began = time.perf_counter()
        figures[name] = recall_and_ndcg(recommend(split), split.new[split.tested])
        seconds[name] = time.perf_counter() - began

    def figures_of(name: str) -> str:
        return f"{figures[name][0]:.4f} / {figures[name][1]:.4f} in {seconds[name]:.1f} s"

    best = figures["ours"]
    rows = [
        Row(
            what=f"Recall@20 / NDCG@20, Online Retail, {len(split.tested)} people after 2011-10-01",
            target=">= .0985 / .1140",
            measured=figures_of("ours"),
            ok=best[0] >= 0.0985 and best[1] >= 0.1140,
        )
    ]
    rows += [
        Row(
            what=f"beside it: {name}",
            target="below ours",
            measured=figures_of(name),
            ok=all(mine > theirs for mine, theirs in zip(best, figures[name], strict=True)),
        )
        for name in figures
        if name != "ours"
    ]
    return [*rows, fit_row(split.fresh, split.training, "Online Retail", rounds=7)]


def fit_row(values: Any, training: Any, name: str, rounds: int) -> Row:
    """Measure fitting `values` beside implicit's ALS on the same entries, `training`: the median of several rounds."""
    seconds = np.array([(timed(lambda: Recommender().fit(values)), timed(fitted_als, training)) for _ in range(rounds)])
    ratios = np.sort(seconds[:, 0] / seconds[:, 1])
    mine, theirs = np.median(seconds, axis=0)
    return Row(
        what=f"fit, {name}, {training.shape[1]:,} items, beside implicit ALS (64 factors, 15 iterations)",
        target="<= 1.5x its time",
        measured=f"{np.median(ratios):.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f}): {mine:.2f} s against {theirs:.2f} s",
        ok=bool(np.median(ratios) <= 1.5),
    )


def rows() -> list[Row]:
    """Return every figure of the recommender's quality."""
    return quality_rows()


if __name__ == "__main__":
    show(rows(), "Recommender, quality")
