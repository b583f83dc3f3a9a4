"""A training part to learn from and a test part to be judged by, as matrices, with every rule that was applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from assent.bench.pair_files import Pairs
from assent.intake.files.actions import Actions
from assent.models.recommender import fresh_values
from assent.terms.errors import InvalidInput
from assent.terms.plurals import counted

_DAY_MS: Final = 86_400_000
#: Shares of the training part before each validation split. Late splits resemble the real one; one alone would choose
#: settings for its own weeks.
_VALIDATION_SHARES: Final = (0.7, 0.8, 0.9)
_ENOUGH = "Some people must stand in both parts."
_STRANGERS: Final = "in the training part: left out"
_UNKNOWN: Final = "of items that nobody trained on: counted as missed"
_AGAIN: Final = "in the training part too: counted as missed"


@dataclass(frozen=True, slots=True)
class Split:
    """A training part, and the items that the tested people took afterwards."""

    #: CSR int32 [people, items] of ones: the training part.
    training: Any
    #: The same entries with whole numbers 1 to 4 by their age, where the file tells times.
    fresh: Any | None
    #: Rows of the people tested, int64 [tested].
    tested: NDArray[np.int64]
    #: CSR [tested, items]: the items they took in the test part that the training part has.
    wanted: Any
    #: Number of items they took in the test part, int64 [tested]; recall divides by it.
    sizes: NDArray[np.int64]
    #: Sentences on what was left out or merged.
    notes: tuple[str, ...]
    #: Where times are known, splits of the training part itself to choose settings by: pairs of CSR as `training`.
    validation: tuple[tuple[Any, Any], ...] = ()


def split_of_pairs(train: Pairs, test: Pairs) -> Split:
    """Return two files as a split, by the rules of the BARS leaderboard.

    People and items are those of the training part. Items of the test part without a person in the training part
    cannot be suggested, but count as wanted. Raises `InvalidInput` if no person is in both, or no item can be hit.
    """
    people, items = np.unique(train.people), np.unique(train.items)
    rows, columns = np.searchsorted(people, train.people), np.searchsorted(items, train.items)
    training = _ones(rows, columns, (len(people), len(items)))
    rows, knows_person = _places(people, test.people)
    names, codes = np.unique(test.items, return_inverse=True)
    pairs = np.unique(rows[knows_person] * len(names) + codes[knows_person])
    tested, owners, sizes = np.unique(pairs // len(names), return_inverse=True, return_counts=True)
    if not len(tested):
        raise InvalidInput("Nobody of the test part is in the training part.", advice=_ENOUGH)
    columns, found = _places(items, names[pairs % len(names)])
    wanted = _ones(owners[found], columns[found], (len(tested), len(items)))
    strangers, unknown = len(np.unique(test.people[~knows_person])), int((~found).sum())
    again = int(training[tested].multiply(wanted).nnz)
    if again == wanted.nnz:
        both = counted(again, "pair is", "pairs are")
        raise InvalidInput(
            f"Nothing of the test part can be hit: {both} in the training part too, "
            f"{unknown:,} of items that nobody trained on.",
            advice="Name a test part that holds what people took afterwards; this may be the wrong file, or the same.",
        )
    repeated = len(train.people) - training.nnz + int(knows_person.sum()) - len(pairs)
    notes = (
        (strangers, "person of the test part is not", "people of the test part are not", _STRANGERS),
        (unknown, "pair of the test part is", "pairs of the test part are", _UNKNOWN),
        (again, "pair of the test part stands", "pairs of the test part stand", _AGAIN),
        (repeated, "repeated pair was", "repeated pairs were", "counted once"),
        (train.empty + test.empty, "person stands", "people stand", "on lines without items"),
    )
    sentences = tuple(f"{counted(count, one, many)} {what}" for count, one, many, what in notes if count)
    return Split(training, None, tested, wanted, sizes, sentences)


def split_of_actions(events: Actions, cut_ms: int, *, times: bool = True, validating: bool = False) -> Split:
    """Return a split by time: people and items of before `cut_ms`, tested on what they took anew from then on.

    Items taken again, and items that no person took before, count neither as wanted nor as missed. Without `times` the
    training part says nothing of when. With `validating` the training part itself is split as well, where it can be.
    Raises `InvalidInput` if no event lies before the moment, or no person is tested.
    """
    early = events.at_ms < cut_ms
    if early.all() or not early.any():
        side = "after" if early.all() else "before"
        first, last = (np.datetime64(int(each), "ms").astype("datetime64[D]") for each in _ends(events.at_ms))
        raise InvalidInput(
            f"No event lies {side} the split.", advice=f"The file runs from {first} to {last}; split between them."
        )
    people, items = np.unique(events.people[early]), np.unique(events.items[early])
    training, fresh, new = _parts(events, (early, ~early), people, items)
    tested = np.flatnonzero(np.diff(new.indptr))
    if not len(tested):
        raise InvalidInput("Nobody took anything new to them after the split.", advice=_ENOUGH)
    wanted, sizes = new[tested], np.diff(new.indptr)[tested].astype(np.int64)
    validation = []
    for share in _VALIDATION_SHARES if validating else ():
        before = early & (events.at_ms < np.quantile(events.at_ms[early], share))
        learned, aged, later = _parts(events, (before, early & ~before), people, items)
        if ((np.diff(learned.indptr) > 0) & (np.diff(later.indptr) > 0)).any():
            validation.append((aged if times else learned, later))
    return Split(training, fresh if times else None, tested, wanted, sizes, (), tuple(validation))


def _parts(
    events: Actions,
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    people: NDArray[np.int64],
    items: NDArray[np.int64],
) -> tuple[Any, Any, Any]:
    """Return the items of the first side, the same by age, and the new of the second: CSR int32 [people, items]."""
    shape = (len(people), len(items))
    before, after = sides
    keys = np.searchsorted(people, events.people[before]) * len(items) + np.searchsorted(items, events.items[before])
    training = _ones(*np.divmod(keys, len(items)), shape)
    rows, knows_person = _places(people, events.people[after])
    columns, knows_item = _places(items, events.items[after])
    found = knows_person & knows_item
    taken = _ones(rows[found], columns[found], shape)
    new = (taken - taken.multiply(training)).tocsr()
    new.eliminate_zeros()
    return training, _by_age(training, keys, events.at_ms[before]), new


def _by_age(training: Any, keys: NDArray[np.int64], at_ms: NDArray[np.int64]) -> Any:
    """Return `training` with how much each item still counts, by the day on which the person took it last.

    `keys` int64 [events]: the person's row times the number of items, plus the item.
    """
    order = np.lexsort((at_ms, keys))
    ordered = keys[order]
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    days = at_ms[order][last] // _DAY_MS
    fresh = training.copy()
    for start, stop in zip(training.indptr[:-1], training.indptr[1:], strict=True):
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
