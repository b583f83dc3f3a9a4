"""Spark beside this process: the sum of ten million actions of a Parquet file, to the same digest."""

from __future__ import annotations

import importlib.util
import resource
import tempfile
import time
import warnings
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse

from assent.learn.spark import sessions, sum_of_parquet
from assent.models.recommender import RecommenderSettings
from assent.models.recommender.matrix import people_by_items, weigh
from assent.sums import PairSum
from bench.matrices import timed
from bench.table import Row, show, unmeasured

PEOPLE: Final = 200_000
ITEMS: Final = 20_000
ACTIONS: Final = 10_000_000
CLUSTERS: Final = 50
#: How much of what a person holds comes from their own cluster of items.
OWN_SHARE: Final = 0.7
SLOWER_MAX: Final = 4.0


def write_actions(path: Path) -> int:
    """Write a file of people with tastes: Zipf popularity inside clusters of items; return how many rows it has."""
    random = np.random.default_rng(20261123)
    drawn = ACTIONS * 13 // 10
    people = random.integers(0, PEOPLE, drawn)
    size = ITEMS // CLUSTERS
    ranks = np.arange(1, size + 1) ** -1.0
    within = random.choice(size, drawn, p=ranks / ranks.sum())
    own = random.random(drawn) < OWN_SHARE
    items = np.where(own, people % CLUSTERS, random.integers(0, CLUSTERS, drawn)) * size + within
    pairs = np.unique(people * ITEMS + items)
    while len(pairs) < ACTIONS:
        more = random.integers(0, PEOPLE, ACTIONS) * ITEMS + random.integers(0, ITEMS, ACTIONS)
        pairs = np.unique(np.concatenate((pairs, more[: ACTIONS - len(pairs)])))
    pairs = random.permutation(pairs)[:ACTIONS]
    frame = pl.DataFrame({"person": pairs // ITEMS, "item": (pairs % ITEMS).astype(np.int32)})
    # Some row groups, so that Spark has something to share out.
    frame.write_parquet(path, row_group_size=ACTIONS // 16)
    return len(frame)


def sum_here(path: Path) -> PairSum:
    """Add the file up in this process, as `Recommender.fit` does before it solves."""
    rows = pl.read_parquet(path)
    places = (rows["person"].to_numpy(), rows["item"].to_numpy())
    matrix = scipy.sparse.csr_matrix((np.ones(len(rows)), places), shape=(PEOPLE, ITEMS))
    return PairSum.from_matrix(*weigh(people_by_items(matrix, None), RecommenderSettings().weight_exponent))


def rows() -> list[Row]:
    """Measure both, one after the other, from the same file."""
    if not all(map(importlib.util.find_spec, ("pyspark", "pyarrow", "pandas"))):
        missing = "pyspark, pyarrow or pandas is not installed"
        return [unmeasured("Spark local[2], 10 M actions", missing)]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "actions.parquet")
        count = write_actions(path)
        digests: list[str] = []
        here_seconds = timed(lambda: digests.append(sum_here(path).digest()))
        here_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        began = time.perf_counter()
        with sessions.opened("local[2]", {}) as spark:
            opened_seconds = time.perf_counter() - began
            there_seconds = timed(lambda: digests.append(sum_of_parquet(spark, str(path), ITEMS).digest()))
    here, there = digests
    times = there_seconds / here_seconds
    return [
        Row(
            what=f"Spark local[2], {count / 1e6:.0f} M actions of {PEOPLE:,} people and {ITEMS:,} items: digest",
            target="equal to this process's",
            measured=f"{there[:16]} beside {here[:16]}",
            ok=there == here,
        ),
        Row(
            what="the same, sum and digest from a Parquet file",
            target=f"<= {SLOWER_MAX:.0f} times this process's",
            measured=f"{times:.1f} times: {there_seconds:.1f} s beside {here_seconds:.1f} s "
            f"(opening the session: {opened_seconds:.1f} s)",
            ok=times <= SLOWER_MAX,
            peak_mb=here_mb,
        ),
    ]


if __name__ == "__main__":
    show(rows(), "Spark")
