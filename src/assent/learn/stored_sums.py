"""Stored sums: one head with counts and digest, and rows of whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assent.store.topics import sums
from assent.terms.errors import Corrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.models.additive import AdditiveModel, AdditiveSum
    from assent.store import Session


def read_sum(session: Session, model: AdditiveModel[Any, Any, Any], head: sums.HeadRow, *, verify: bool = True) -> Any:
    """Read a model's whole sum; raises `Corrupt` when its digest is not the one that was written."""
    rows = {number: row for number, _, row in sums.rows_after(session, model.name, 0)}
    total = model.sum_of_rows(head.columns, rows, counts_of(head), head.people)
    if verify and total.digest() != head.digest:
        raise Corrupt(
            "The stored sum does not have the digest that was written with it.",
            advice="Run `assent train --rebuild`: it adds everybody up again.",
        )
    return total


def counts_of(head: sums.HeadRow) -> NDArray[np.int64]:
    """Return the counts of a head, int64 [any], read-only."""
    return np.frombuffer(head.counts, dtype="<i8")


def write_sum(
    session: Session,
    name: str,
    head: sums.HeadRow | None,
    total: AdditiveSum[Any],
    touched: NDArray[np.int32] | None,
    now_ms: int,
    *,
    left: bool,
) -> sums.HeadRow:
    """Write the rows that changed, int32 [k] (all of them when `touched` is None), and the new head; return the head.

    `head` is the one before. `left` is True when a person left the sum.
    """
    version = (head.version if head else 0) + 1
    if touched is None:
        sums.clear(session, name)
    changed = range(total.rows) if touched is None else touched.tolist()
    sums.put_rows(session, name, version, ((number, total.row_bytes(number)) for number in changed))
    fresh = sums.HeadRow(
        model=name,
        version=version,
        columns=total.columns,
        people=total.people,
        digest=total.digest(),
        counts=total.counts.astype("<i8").tobytes(),
        at_ms=now_ms,
        last_left_version=version if left else (head.last_left_version if head else 0),
    )
    sums.put_head(session, fresh)
    return fresh
