"""The recommender's speed: solving beside LAPACK and bare products, forgetting, drift, and all people beside ALS.

`python -m bench.recommender_speed large` measures 41,000 items alone: a quarter of an hour on two cores, 7.4 GB.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import tracemalloc
from typing import Any, Final

import numpy as np
import psutil
import scipy.linalg
import scipy.sparse

from assent import Recommender
from assent.models.recommender import RecommenderSettings, contribution
from assent.models.recommender.dense.form import DenseForm, solve_dense
from assent.sums import PairSum, invert_in_place
from bench.matrices import made_up_crowd, timed
from bench.recommender import ONLINE_RETAIL, fit_row, fitted_als, split_by_time
from bench.table import Row, show

ITEMS: Final = 8_000
#: Items, and the milliseconds within which one person is forgotten and the next answer is given.
FORGETTING: Final = ((8_000, 2.0), (20_000, 10.0), (41_000, 40.0))
LEAVING: Final = 260
CHANGES: Final = 10_000
LARGE_ITEMS: Final = 41_000
CORES: Final = os.cpu_count() or 1


def largest_difference(one: Recommender, other: Recommender) -> float:
    """Return how far any weight of two models is apart."""
    everything = scipy.sparse.identity(one.solved.columns, format="csr")
    starts = range(0, one.solved.columns, 1_000)
    return max(
        float(np.abs(one.score(everything[at : at + 1_000]) - other.score(everything[at : at + 1_000])).max())
        for at in starts
    )


def product_rate(size: int = 4_096, repeats: int = 3) -> float:
    """Return the machine's rate for float32 matrix products, in operations per second: the best of some runs."""
    left = np.random.default_rng(0).random((size, size), np.float32)
    out = np.empty_like(left)
    return 2.0 * size**3 / min(timed(lambda: np.matmul(left, left, out=out)) for _ in range(repeats))


def definite(size: int) -> Any:
    """Make a well-conditioned symmetric positive definite matrix, float32 [size, size]."""
    root = np.random.default_rng(1).standard_normal((size, size // 4), np.float32)
    return root @ root.T / np.float32(size) + np.eye(size, dtype=np.float32)


def lapack_seconds(matrix: Any, dtype: str) -> float:
    """Measure SciPy's potrf + potri in one type, on a copy of a symmetric positive definite matrix."""
    potrf, potri = scipy.linalg.lapack.get_lapack_funcs(("potrf", "potri"), dtype=np.dtype(dtype))
    copy = np.array(matrix, dtype, order="F")

    def invert() -> None:
        factor, _ = potrf(copy, lower=1, overwrite_a=1)
        potri(factor, lower=1, overwrite_c=1)

    return timed(invert)


def solving_rows(size: int = ITEMS, repeats: int = 2) -> list[Row]:
    """Measure the inverse by halves against LAPACK's Cholesky inverse and against bare products, float32, in turns."""
    matrix = definite(size)
    ours = np.empty_like(matrix)
    seconds, single, double, rate = [], [], [], product_rate()
    for _ in range(repeats):
        single.append(lapack_seconds(matrix, "float32"))
        double.append(lapack_seconds(matrix, "float64"))
        ours[:] = matrix
        seconds.append(timed(lambda: invert_in_place(ours)))
        rate = max(rate, product_rate(repeats=1))
    ours[:] = matrix
    tracemalloc.start()
    invert_in_place(ours)
    extra = tracemalloc.get_traced_memory()[1] / matrix.nbytes
    tracemalloc.stop()
    best, lapack_best, double_best = min(seconds), min(single), min(double)
    setting = f"solve, {size:,} items, float32"
    return [
        Row(
            what=f"{setting}, beside LAPACK's potrf + potri in float32",
            target=">= 1.5x faster",
            measured=f"{lapack_best / best:.2f}x: {best:.2f} s against {lapack_best:.2f} s; n^3 operations as bare "
            f"products take {size**3 / rate:.2f} s, which allows {lapack_best * rate / size**3:.2f}x",
            ok=lapack_best >= 1.5 * best,
        ),
        Row(
            what=f"{setting}, beside LAPACK's potrf + potri in float64, SciPy's default",
            target=">= 1.5x faster",
            measured=f"{double_best / best:.2f}x: {best:.2f} s against {double_best:.2f} s",
            ok=double_best >= 1.5 * best,
        ),
        Row(
            what=f"{setting}, rate over 2n^3 operations",
            target=">= 60 % of bare products",
            measured=f"{2.0 * size**3 / best / rate:.0%} of {rate / 1e9:.0f} Gflop/s (it needs n^3)",
            ok=2.0 * size**3 / best / rate >= 0.6,
        ),
        Row(
            what=f"{setting}, memory beside the one n x n array",
            target="<= 10 %",
            measured=f"{extra:.1%}",
            ok=extra <= 0.10,
        ),
    ]


def left_rows(dtype: str, limit: float, items: int = ITEMS, people: int = 5_000, leaving: int = 1_000) -> list[Row]:
    """Measure forgetting a thousand people one by one against fitting, and against a fit without them."""
    crowd = made_up_crowd(people, items)
    model = Recommender(dtype=dtype)
    fit_seconds = timed(lambda: model.fit(crowd))
    gone = [crowd[row] for row in range(leaving)]
    forget_seconds = timed(lambda: [model.forget(row) for row in gone]) / leaving
    never = Recommender(dtype=dtype).fit(crowd[leaving:])
    # Some terms are still pending: what is compared first is what the next request would be answered with.
    probe = crowd[leaving].indices
    served = float(np.abs(model.solved.score_one(probe) - never.solved.score_one(probe)).max())
    apart = largest_difference(model, never)
    same = model.digest() == never.digest()
    return [
        Row(
            what=f"after {leaving:,} people left one by one, {items:,} items, {dtype}",
            target=f"digest equal to a fit without them, weights within {limit:g}, >= 200x faster than fit",
            measured=f"digest {'equal' if same else 'DIFFERENT'}, weights within {apart:.1e}, the next answer within "
            f"{served:.1e}; {1e3 * forget_seconds:.1f} ms each, {fit_seconds / forget_seconds:,.0f}x faster than fit",
            ok=same and max(apart, served) < limit and fit_seconds >= 200 * forget_seconds,
        ),
    ]


def stand_in(total: PairSum, settings: RecommenderSettings) -> DenseForm:
    """Make a form without solving it: a part of the inverse of the diagonal, and as much memory as a real one."""
    dense = np.full((total.columns, total.columns), 1e-12, np.float32)
    diagonal = total.diagonal() / 2.0**20 + settings.ridges(total.counts)
    dense[np.diag_indices(total.columns)] = 0.1 / diagonal
    return DenseForm.from_arrays(total, settings, {"inverse": dense})


def forgetting_rows(items: int, limit_ms: float) -> list[Row]:
    """Measure forgetting one person and giving the next answer; the largest models hold a stand-in for the inverse.

    Terms are folded into the inverse in slices, within the time of the people they come with; what still waits at the
    end is folded and shared out as well.
    """
    crowd = made_up_crowd(items=items)
    settings = RecommenderSettings()
    people = [contribution(crowd[row].indices) for row in range(LEAVING)]
    total = PairSum.of([contribution(crowd[row].indices) for row in range(crowd.shape[0])], items)
    solved = items <= ITEMS
    form: Any = solve_dense(total, settings, None) if solved else stand_in(total, settings)
    # A model that serves has answered before: its sum is turned over once, with the first answer.
    form.score_one(people[0].items, np.ones(len(people[0].items)))
    each = []
    for one in people:
        began = time.perf_counter()
        fresh = form.total.copy()
        fresh.remove(one)
        form.follow(fresh, [one], -1)
        form.score_one(one.items, np.ones(len(one.items)))
        each.append(1e3 * (time.perf_counter() - began))
    fold = 1e3 * timed(form.inverse.fold)
    middle, mean = float(np.median(each)), (sum(each) + fold) / len(each)
    items_each = float(np.mean([len(one.items) for one in people]))
    return [
        Row(
            what=f"forget one person (about {items_each:.0f} items) and answer, {items:,} items"
            + ("" if solved else ", stand-in for the inverse"),
            target=f"<= {limit_ms:g} ms; folds included <= {3 * limit_ms:g} ms",
            measured=f"{middle:.1f} ms; folds included {mean:.1f} ms; the longest {max(each):.0f} ms",
            ok=middle <= limit_ms and mean <= 3 * limit_ms,
        )
    ]


def drift_rows(items: int = 3_500, people: int = 4_000, changes: int = CHANGES) -> list[Row]:
    """Measure how far a model is from a fresh fit after people came and went ten thousand times."""
    crowd = made_up_crowd(2 * people, items)
    random = np.random.default_rng(3)
    inside, outside = list(range(people)), list(range(people, 2 * people))
    model = Recommender().fit(crowd[:people])
    everybody = [contribution(crowd[row].indices) for row in range(2 * people)]
    began = time.perf_counter()
    for leaves in random.random(changes) < 0.5:
        source, target, act = (inside, outside, model.solved.remove) if leaves else (outside, inside, model.solved.add)
        one = source.pop(int(random.integers(len(source))))
        act(everybody[one])
        target.append(one)
    each = 1e3 * (time.perf_counter() - began) / changes
    fresh = Recommender().fit(crowd[sorted(inside)])
    same, apart = model.digest() == fresh.digest(), largest_difference(model, fresh)
    repairs = model.solved.repairs
    return [
        Row(
            what=f"{changes:,} people learned and forgotten in turns, {items:,} items, beside a fresh fit",
            target="digest equal; largest difference of a weight < 1e-5",
            measured=f"{'equal' if same else 'DIFFERENT'}; {apart:.1e}; {each:.1f} ms each, {repairs} repairs",
            ok=same and apart < 1e-5,
        )
    ]


def everybody_row(crowd: Any, name: str) -> Row:
    """Measure the best 20 items for all people, beside implicit's ALS on the same matrix."""
    theirs, typed, ours = fitted_als(crowd), crowd.astype(np.float32), Recommender().fit(crowd)
    their_seconds = min(timed(lambda: theirs.recommend(np.arange(crowd.shape[0]), typed, N=20)) for _ in range(3))
    our_seconds = min(timed(lambda: ours.recommend(crowd, 20)) for _ in range(3))
    people, items = crowd.shape
    rate, their_rate, limit = people / our_seconds, people / their_seconds, product_rate() / (2.0 * items**2)
    return Row(
        what=f"best 20 of {items:,} items for {people:,} people, {name}, beside implicit ALS with 64 factors",
        target=">= 2x as many people a second, or the limit of products",
        measured=f"{rate / their_rate:.1f}x: {rate:,.0f} against {their_rate:,.0f} people/s; a dense product alone "
        f"allows {limit:,.0f}",
        ok=rate >= min(2 * their_rate, limit),
    )


def large_rows(items: int = LARGE_ITEMS) -> list[Row]:
    """Measure a dense model past the 32-bit counts of LAPACK: whether it stands, what it holds, how far it is off."""
    total = PairSum.of([contribution(row.indices) for row in made_up_crowd(30_000, items, items_each=35)], items)
    settings = RecommenderSettings(neighbour_share=0.0)
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    form = solve_dense(total, settings, None, _tell)
    seconds = time.perf_counter() - began
    array = 4.0 * items**2
    extra = (1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / array - 1.0
    residual = max(form.residual(item) for item in (0, items // 3, items - 1))
    return [
        Row(
            what=f"solve, {items:,} items, float32",
            target="completes in one n x n array + 10 %; columns within 1e-3",
            measured=f"{seconds:,.0f} s; one array and {extra:.1%}; columns within {residual:.1e}",
            ok=extra <= 0.10 and residual < 1e-3,
        )
    ]


def _tell(share: float) -> None:
    print(f"\r{share:.1%}", end="", file=sys.stderr, flush=True)


def rows() -> list[Row]:
    """Return every figure of the recommender's speed but the largest solve; takes minutes."""
    table = [*solving_rows(), *drift_rows(), *left_rows("float32", 1e-5), *left_rows("float64", 1e-10)]
    for items, limit_ms in FORGETTING:
        table += forgetting_rows(items, limit_ms)
    if ONLINE_RETAIL.exists():
        table.append(everybody_row(split_by_time().training, "Online Retail"))
    crowd = made_up_crowd(20_000, ITEMS)
    return [*table, everybody_row(crowd, "made up"), fit_row(crowd, crowd, "20,000 people, made up", rounds=1)]


if __name__ == "__main__":
    show(large_rows() if sys.argv[1:] == ["large"] else rows(), "Recommender, speed")
