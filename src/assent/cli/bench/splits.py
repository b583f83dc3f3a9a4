"""A training part to learn from and a test part to be judged by, as matrices, with every rule that was applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.cli.bench.texts import Pairs
from assent.cli.screen import counted
from assent.engine.measuring import Interactions, fresh_values
from assent.terms.errors import InvalidInput

_DAY_MS: Final = 86_400_000
_ENOUGH = "Some people must stand in both parts."
_STRANGERS: Final = "in the training part: left out"
_UNKNOWN: Final = "of items that nobody trained on: counted as missed"
_AGAIN: Final = "in the training part too: counted as missed"


@dataclass(frozen=True, slots=True)
class Split:
    """What was held before, and what the people who are tested took afterwards."""

    #: CSR int32 [people, items] of ones: the training part.
    held: Any
    #: The same entries with whole numbers 1 to 4 by their age, where the file tells times.
    fresh: Any | None
    #: Rows of the people tested, int64 [tested].
    tested: NDArray[np.int64]
    #: CSR [tested, items]: what they took in the test part, as far as the training part has the item.
    wanted: Any
    #: How many items they took in the test part, int64 [tested]: what recall divides by.
    sizes: NDArray[np.int64]
    #: What was left out or merged, in words.
    notes: tuple[str, ...]


def split_of_pairs(train: Pairs, test: Pairs) -> Split:
    """Return two files as a split, by the rules of the BARS leaderboard.

    People and items are those of the training part. Items of the test part that nobody has in the training part cannot
    be suggested, but count as wanted. Raises `InvalidInput` if nobody is in both, or nothing can be hit.
    """
    people, items = np.unique(train.people), np.unique(train.items)
    rows, columns = np.searchsorted(people, train.people), np.searchsorted(items, train.items)
    held = _ones(rows, columns, (len(people), len(items)))
    rows, knows_person = _places(people, test.people)
    names, codes = np.unique(test.items, return_inverse=True)
    pairs = np.unique(rows[knows_person] * len(names) + codes[knows_person])
    tested, owners, sizes = np.unique(pairs // len(names), return_inverse=True, return_counts=True)
    if not len(tested):
        raise InvalidInput("Nobody of the test part is in the training part.", advice=_ENOUGH)
    columns, known = _places(items, names[pairs % len(names)])
    wanted = _ones(owners[known], columns[known], (len(tested), len(items)))
    strangers, unknown = len(np.unique(test.people[~knows_person])), int((~known).sum())
    again = int(held[tested].multiply(wanted).nnz)
    if again == wanted.nnz:
        both, message = counted(again, "pair is", "pairs are"), "Nothing of the test part can be hit"
        raise InvalidInput(
            f"{message}: {both} in the training part too, {unknown:,} of items that nobody trained on.",
            advice="Name a test part that holds what people took afterwards; this may be the wrong file, or the same.",
        )
    repeated = len(train.people) - held.nnz + int(knows_person.sum()) - len(pairs)
    notes = (
        (strangers, "person of the test part is not", "people of the test part are not", _STRANGERS),
        (unknown, "pair of the test part is", "pairs of the test part are", _UNKNOWN),
        (again, "pair of the test part stands", "pairs of the test part stand", _AGAIN),
        (repeated, "repeated pair was", "repeated pairs were", "counted once"),
        (train.empty + test.empty, "person stands", "people stand", "on lines without items"),
    )
    told = tuple(f"{counted(count, one, many)} {what}" for count, one, many, what in notes if count)
    return Split(held, None, tested, wanted, sizes, told)


def split_of_interactions(events: Interactions, cut_ms: int, *, times: bool = True) -> Split:
    """Return a split by time: people and items of before `cut_ms`, tested on what they took anew from then on.

    What was taken again and items that nobody took before count neither as wanted nor as missed. Without `times` the
    training part says nothing of when. Raises `InvalidInput` if nothing lies before the moment, or nobody is tested.
    """
    early = events.at_ms < cut_ms
    if early.all() or not early.any():
        side = "after" if early.all() else "before"
        first, last = (np.datetime64(int(each), "ms").astype("datetime64[D]") for each in _ends(events.at_ms))
        raise InvalidInput(
            f"No event lies {side} the split.", advice=f"The file runs from {first} to {last}; split between them."
        )
    people, items = np.unique(events.people[early]), np.unique(events.items[early])
    shape = (len(people), len(items))
    rows, columns = np.searchsorted(people, events.people[early]), np.searchsorted(items, events.items[early])
    held = _ones(rows, columns, shape)
    rows, knows_person = _places(people, events.people[~early])
    columns, knows_item = _places(items, events.items[~early])
    known = knows_person & knows_item
    taken = _ones(rows[known], columns[known], shape)
    new = (taken - taken.multiply(held)).tocsr()
    new.eliminate_zeros()
    tested = np.flatnonzero(np.diff(new.indptr))
    if not len(tested):
        raise InvalidInput("Nobody took anything new to them after the split.", advice=_ENOUGH)
    fresh = _fresh(events, early, held, people, items) if times else None
    wanted = new[tested]
    return Split(held, fresh, tested, wanted, np.diff(wanted.indptr).astype(np.int64), ())


def _fresh(
    events: Interactions, early: NDArray[np.bool_], held: Any, people: NDArray[np.int64], items: NDArray[np.int64]
) -> Any:
    """Return `held` with how much each item still counts, by the day on which the person took it last."""
    keys = np.searchsorted(people, events.people[early]) * len(items) + np.searchsorted(items, events.items[early])
    order = np.lexsort((events.at_ms[early], keys))
    ordered = keys[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    days = events.at_ms[early][order][last] // _DAY_MS
    fresh = held.copy()
    for start, stop in zip(held.indptr[:-1], held.indptr[1:], strict=True):
        fresh.data[start:stop] = fresh_values(days[start:stop])
    return fresh


def _ends(moments: NDArray[np.int64]) -> tuple[np.int64, np.int64]:
    return moments.min(), moments.max()


def _places(names: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each wanted name stands among sorted names, int64, and whether it stands there at all."""
    places = np.minimum(np.searchsorted(names, wanted), len(names) - 1).astype(np.int64)
    return places, names[places] == wanted


def _ones(rows: NDArray[Any], columns: NDArray[Any], shape: tuple[int, int]) -> Any:
    """Return a sorted CSR int32 of ones at the places, each once."""
    matrix = scipy.sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
