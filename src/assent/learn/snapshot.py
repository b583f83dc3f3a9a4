"""The sum on disk: one head with counts and digest, one row of whole numbers for each item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from assent.store.topics import sums
from assent.sums import PairSum
from assent.terms.errors import Corrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.store import Session

#: The name of the recommender's sum in the store.
MODEL = "recommender"


def load_sum(session: Session, head: sums.HeadRow, *, verify: bool = True) -> PairSum:
    """Read the whole sum; raises `Corrupt` when its digest is not the one that was written."""
    rows = {item: row for item, _, row in sums.rows_after(session, MODEL, 0)}
    total = PairSum.from_row_bytes(head.columns, rows, np.frombuffer(head.counts, dtype="<i8"), head.people)
    if verify and total.digest() != head.digest:
        message = "The stored sum does not have the digest that was written with it."
        raise Corrupt(message, advice="Run `assent train --rebuild`: it adds everybody up again.")
    return total


def last_leaving(head: sums.HeadRow) -> int:
    """Return the version at which somebody last left the sum."""
    return int(json.loads(head.settings).get("left", 0))


def write_sum(
    session: Session,
    head: sums.HeadRow | None,
    total: PairSum,
    touched: NDArray[np.int32] | None,
    now_ms: int,
    *,
    left: bool,
) -> int:
    """Write the rows that changed (all of them when `touched` is None) and the new head; return the new version."""
    version = (head.version if head else 0) + 1
    if touched is None:
        sums.clear(session, MODEL)
    changed = range(total.columns) if touched is None else touched.tolist()
    sums.put_rows(session, MODEL, version, ((item, total.row_bytes(item)) for item in changed))
    sums.put_head(
        session,
        sums.HeadRow(
            model=MODEL,
            version=version,
            columns=total.columns,
            people=total.people,
            digest=total.digest(),
            counts=total.counts.astype("<i8").tobytes(),
            settings=json.dumps({"left": version if left else (last_leaving(head) if head else 0)}),
            at_ms=now_ms,
        ),
    )
    return version
