"""The worth of each part of the recommender: the defaults with one part left out at a time, and tuned, on splits."""

from __future__ import annotations

import dataclasses
from datetime import UTC
from typing import Any, Final

import numpy as np
import polars as pl
import scipy.sparse

from assent import Recommender
from assent.bench.splits import split_of_actions
from assent.intake.files.actions import read_actions
from assent.models.metrics import recall_and_ndcg
from bench.recommender import COUNT, CUT, Split, plain_ease, split_by_time
from bench.retail import COMPLETE_JOURNEY, MISSING, ONLINE_RETAIL
from bench.table import Row, show, unmeasured

HIDDEN_SHARE: Final = 0.2
DEFAULTS: Final = "the defaults"
#: Of the groceries, items that so many households took, and households with so many of those, are left.
HOUSEHOLDS_MIN: Final = 4
TAKEN_MIN: Final = 5
#: Where a part scales the ridge, the ridge without it is such that its mean over the pairs of Online Retail stays.
PARTS: Final[tuple[tuple[str, dict[str, float]], ...]] = (
    (DEFAULTS, {}),
    ("without weights of people", {"weight_exponent": 0.0, "ridge": 150.0}),
    ("without the popularity ridge", {"popularity_exponent": 0.0, "ridge": 68.0}),
    ("without the score scale", {"popularity_discount": 0.0}),
    ("without neighbours", {"neighbour_share": 0.0}),
    ("neighbours alone", {"neighbour_share": 1.0}),
)


def split_at_random(whole: Any, seed: int = 0) -> Split:
    """Hide a fifth of the items of all people with at least five: `whole` CSR [people, items]."""
    random = np.random.default_rng(seed)
    lengths = np.diff(whole.indptr)
    owners = np.repeat(np.arange(whole.shape[0]), lengths)
    order = np.lexsort((random.random(whole.nnz), owners))
    places = np.empty(whole.nnz, np.int64)
    places[order] = np.arange(whole.nnz) - whole.indptr[owners]
    hidden = (lengths[owners] >= 5) & (places < np.round(HIDDEN_SHARE * lengths[owners]))

    def part(wanted: Any) -> Any:
        return scipy.sparse.csr_matrix((np.ones(wanted.sum()), (owners[wanted], whole.indices[wanted])), whole.shape)

    training = part(~hidden)
    return Split(training, training, part(hidden))


def groceries() -> Any:
    """Read which households took which products in the sample of Complete Journey (dunnhumby, CC0): CSR 0/1."""
    purchases = pl.read_csv(COMPLETE_JOURNEY, columns=["household_id", "product_id"]).unique().sort(pl.all())
    before = -1
    while before != len(purchases):
        before = len(purchases)
        purchases = purchases.filter(pl.len().over("product_id") >= HOUSEHOLDS_MIN)
        purchases = purchases.filter(pl.len().over("household_id") >= TAKEN_MIN)
    places = tuple((purchases[name].rank("dense") - 1).to_numpy() for name in purchases.columns)
    return scipy.sparse.csr_matrix((np.ones(len(purchases)), places))


def figures(split: Split, values: Any, settings: dict[str, float]) -> tuple[float, float]:
    """Return Recall@20 and NDCG@20 of a model of these values and settings."""
    return judged(split, values, Recommender(**settings).fit(values))  # type: ignore[arg-type]


def judged(split: Split, values: Any, model: Recommender) -> tuple[float, float]:
    """Return Recall@20 and NDCG@20 of a fitted model."""
    return recall_and_ndcg(model.recommend(values[split.tested], COUNT)[0], split.new[split.tested])


def tuned_by_time() -> tuple[tuple[float, float], Recommender]:
    """Return the figures of settings that were chosen by earlier splits of Online Retail's training part, and them."""
    cut_ms = round(CUT.replace(tzinfo=UTC).timestamp() * 1_000)
    split = split_of_actions(read_actions(ONLINE_RETAIL), cut_ms, validating=True)
    values: Any = split.fresh
    model = Recommender().tune(values, validation=split.validation)
    return recall_and_ndcg(model.recommend(values[split.tested], COUNT)[0], split.wanted, split.sizes), model


def rows() -> list[Row]:
    """Return every part's figures; takes minutes."""
    table: list[Row] = []
    if ONLINE_RETAIL.exists():
        by_time = split_by_time()
        least = plain_figures(by_time)
        table += rows_of("Online Retail by time", by_time, least)
        found, model = tuned_by_time()
        table.append(_row("Online Retail by time: tuned by earlier splits by time", found, least, _changed(model)))
        at_random = split_at_random((by_time.training + by_time.new).tocsr())
        table += rows_of("Online Retail at random", at_random, plain_figures(at_random))
    else:
        table.append(unmeasured("parts of the recommender, Online Retail", MISSING))
    if COMPLETE_JOURNEY.exists():
        purchases = split_at_random(groceries())
        table += rows_of("Complete Journey at random", purchases, plain_figures(purchases))
    else:
        table.append(unmeasured("parts of the recommender, Complete Journey", f"no {COMPLETE_JOURNEY.name}"))
    return table


def rows_of(title: str, split: Split, least: tuple[float, float]) -> list[Row]:
    """Return the figures of one split: each part left out, tuned on a slice drawn from it, and `least`, plain EASE."""
    table = {name: figures(split, split.fresh, settings) for name, settings in PARTS}
    if split.fresh is not split.training:
        table["without days"] = figures(split, split.training, {})
    tuned = Recommender().tune(split.fresh)
    return [
        *(_row(f"{title}: {name}", found, least if name == DEFAULTS else None) for name, found in table.items()),
        _row(f"{title}: tuned on a slice drawn from it", judged(split, split.fresh, tuned), least, _changed(tuned)),
        _row(f"{title}: plain EASE", least),
    ]


def plain_figures(split: Split) -> tuple[float, float]:
    """Return Recall@20 and NDCG@20 of plain EASE."""
    return recall_and_ndcg(plain_ease(split), split.new[split.tested])


def _row(what: str, found: tuple[float, float], least: tuple[float, float] | None = None, changed: str = "") -> Row:
    return Row(
        what=what,
        target="measured" if least is None else "at least plain EASE",
        measured="{:.4f} / {:.4f}".format(*found) + (f" with {changed}" if changed else ""),
        ok=least is None or (found[0] >= least[0] and found[1] >= least[1]),
    )


def _changed(model: Recommender) -> str:
    """Name the settings that are not the defaults."""
    found, default = dataclasses.asdict(model.settings), dataclasses.asdict(Recommender().settings)
    return ", ".join(f"{name} {number}" for name, number in found.items() if number != default[name]) or "the defaults"


if __name__ == "__main__":
    show(rows(), "Recommender, what each part is worth")
