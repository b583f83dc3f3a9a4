"""What each part of the recommender is worth: the defaults with one part left out at a time, on two splits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.sparse

from assent import Recommender
from assent.models.ranking import recall_and_ndcg
from bench.recommender import COUNT, Split, plain_ease, split_by_time
from bench.retail import MISSING, ONLINE_RETAIL
from bench.table import Row, show, unmeasured

HIDDEN_SHARE: Final = 0.2
#: Where a part scales the ridge, the ridge without it is such that its mean over the pairs of Online Retail stays.
PARTS: Final[tuple[tuple[str, dict[str, float]], ...]] = (
    ("the defaults", {}),
    ("without weights of people", {"weight_exponent": 0.0, "ridge": 150.0}),
    ("without the popularity ridge", {"popularity_exponent": 0.0, "ridge": 68.0}),
    ("without the score scale", {"popularity_discount": 0.0}),
    ("without neighbours", {"neighbour_share": 0.0}),
    ("neighbours alone", {"neighbour_share": 1.0}),
)


def split_at_random(whole: Any, seed: int = 0) -> Split:
    """Hide a fifth of the items of everybody who holds at least five: `whole` CSR [people, items]."""
    random = np.random.default_rng(seed)
    lengths = np.diff(whole.indptr)
    owners = np.repeat(np.arange(whole.shape[0]), lengths)
    order = np.lexsort((random.random(whole.nnz), owners))
    places = np.empty(whole.nnz, np.int64)
    places[order] = np.arange(whole.nnz) - whole.indptr[owners]
    hidden = (lengths[owners] >= 5) & (places < np.round(HIDDEN_SHARE * lengths[owners]))

    def part(wanted: Any) -> Any:
        return scipy.sparse.csr_matrix((np.ones(wanted.sum()), (owners[wanted], whole.indices[wanted])), whole.shape)

    held = part(~hidden)
    return Split(held, held, part(hidden))


def figures(split: Split, values: Any, settings: dict[str, float]) -> tuple[float, float]:
    """Return Recall@20 and NDCG@20 of a model of these values and settings."""
    lists = Recommender(**settings).fit(values).recommend(values[split.tested], COUNT)[0]  # type: ignore[arg-type]
    return recall_and_ndcg(lists, split.new[split.tested])


def rows() -> list[Row]:
    """Return every part's figures; takes minutes."""
    if not ONLINE_RETAIL.exists():
        return [unmeasured("parts of the recommender", MISSING)]
    by_time = split_by_time()
    at_random = split_at_random((by_time.held + by_time.new).tocsr())
    found: list[Row] = []
    for title, split in (("by time", by_time), ("at random", at_random)):
        told = {name: figures(split, split.fresh, settings) for name, settings in PARTS}
        if split is by_time:
            told["without days"] = figures(split, split.held, {})
        told["plain EASE"] = recall_and_ndcg(plain_ease(split), split.new[split.tested])
        found += [
            Row(
                what=f"Online Retail {title}: {name}",
                target="at least plain EASE" if name == "the defaults" else "measured",
                measured=f"{recall:.4f} / {ndcg:.4f}",
                ok=name != "the defaults" or min(recall - told["plain EASE"][0], ndcg - told["plain EASE"][1]) >= 0,
            )
            for name, (recall, ndcg) in told.items()
        ]
    return found


if __name__ == "__main__":
    show(rows(), "Recommender, what each part is worth")
