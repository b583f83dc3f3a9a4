"""What a model has to be before the engine keeps it: a sum over the people who said yes, and a solve of that sum.

    zero -> contribution -> add, remove -> solve

A model subclasses `AdditiveModel`, its name goes into one row of `learn/registry.py`, and
`assent.testing.AdditiveModelContract` proves it. Nothing here knows a person or a disk.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from assent.terms.events import ACTION_BITS


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model may know beside a history: the goods, never a person.

    `columns`: how many items there are, numbered from 0. `labels(name)`: what the catalogue says of each item under
    `name` (a category, say), in the order of their numbers; an empty text where it says nothing.
    """

    columns: int
    labels: Callable[[str], Sequence[str]]


def actions_of(history: NDArray[np.void]) -> NDArray[np.uint16]:
    """Return what was done in each entry of a history, uint16 [entries]: codes of `assent.terms.events`."""
    actions: NDArray[np.uint16] = history["act"] & np.uint16((1 << ACTION_BITS) - 1)
    return actions


class AdditiveContribution(Protocol):
    """What one person adds to a sum: whole numbers, equal to another that adds the same."""

    @property
    def rows(self) -> NDArray[np.int32]:
        """The rows of the sum that it changes, int32 [k], ascending, each once."""
        ...

    def to_bytes(self) -> bytes:
        """Return the one stored form."""
        ...


C = TypeVar("C", bound=AdditiveContribution)
C_contra = TypeVar("C_contra", bound=AdditiveContribution, contravariant=True)


class AdditiveSum(Protocol[C_contra]):
    """A sum of contributions: equal to the last bit for the same people, by whatever way they came about.

    It is stored as `rows` rows of bytes, and a head of `columns`, `counts` and `people`.
    """

    @property
    def columns(self) -> int:
        """How many items it spans."""
        ...

    @property
    def people(self) -> int:
        """How many people it adds up."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """The whole numbers that stand beside the rows, int64 [any]: how many people touched each item, say."""
        ...

    @property
    def rows(self) -> int:
        """How many rows it is stored in, numbered from 0."""
        ...

    def add(self, contribution: C_contra, /) -> None:
        """Add one person. Raises `InvalidInput` past the last item, `SumOverflow`; then nothing changed."""
        ...

    def remove(self, contribution: C_contra, /) -> None:
        """Take one person out again. Raises `NotLearned` when the sum cannot hold them; then nothing changed."""
        ...

    def merge(self, other: Self, /) -> None:
        """Add another sum over as many items: two shards become one. Raises `InvalidInput`, `SumOverflow`."""
        ...

    def grow(self, columns: int, /) -> None:
        """Span `columns` items, the new ones held by nobody; raises `InvalidInput` for fewer than before."""
        ...

    def copy(self) -> Self:
        """Return an independent sum."""
        ...

    def flush(self) -> None:
        """Keep nobody's contribution by itself any longer, where the last ones are kept aside for a while."""
        ...

    def digest(self) -> str:
        """Return the SHA-256 of everything the sum says, in hex."""
        ...

    def row_bytes(self, row: int, /) -> bytes:
        """Return the one stored form of a row."""
        ...

    def replace_rows(self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, /) -> None:
        """Take over stored rows by number, with the counts, int64 [any], and the people that belong to them.

        Raises `Corrupt` when they cannot be read or do not belong together; then nothing changed.
        """
        ...


S = TypeVar("S", bound=AdditiveSum[Any])
S_co = TypeVar("S_co", bound=AdditiveSum[Any], covariant=True)


class Solved(Protocol[S_co]):
    """What answers: a sum and what was solved from it."""

    @property
    def sum(self) -> S_co:
        """The sum it was solved from; do not change it."""
        ...

    def scores_of(self, history: NDArray[np.void], /) -> NDArray[Any]:
        """Return what it answers to a history (HISTORY dtype, [entries]), floats [answers]."""
        ...

    def parts_of(self, history: NDArray[np.void], /) -> NDArray[Any]:
        """Return the reasons of these answers, floats [reasons, answers]: each column adds up to its answer."""
        ...

    def save(self, path: Path, /) -> None:
        """Write it to one file, whole or not at all. Raises `StoreUnavailable`."""
        ...


M_co = TypeVar("M_co", bound=Solved[Any], covariant=True)


class AdditiveModel(Protocol[C, S, M_co]):
    """A kind of model. Subclass it: what it can do in terms of the rest, it does already.

    Histories are arrays of HISTORY dtype: `item`, `day`, `action` and `purposes`, [entries], oldest first.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What store, certificates and exports call it; it never changes."""
        ...

    @abstractmethod
    def zero(self, columns: int, /) -> S:
        """Return the sum over nobody, of `columns` items."""
        ...

    @abstractmethod
    def contribution(self, history: NDArray[np.void], facts: Facts, /) -> C | None:
        """Return what a person with this history adds, the same for the same history and facts; None for nothing."""
        ...

    @abstractmethod
    def read_contribution(self, stored: bytes, /) -> C:
        """Read what `to_bytes` of a contribution wrote; raises `Corrupt` for anything else."""
        ...

    @abstractmethod
    def solve(self, total: S, /) -> M_co:
        """Return what answers from a sum, which it takes over. Raises `NotEnoughMemory`."""
        ...

    @abstractmethod
    def load(self, path: Path, /) -> M_co:
        """Read what `save` of a solved model wrote. Raises `NotFound`, `StoreUnavailable`, `Corrupt`."""
        ...

    @abstractmethod
    def describe(self, contribution: C, items: Mapping[int, str], /) -> dict[str, Any]:
        """Return what a contribution holds of its person, JSON-ready, for their export; `items` are ids by number."""
        ...

    def contributions(self, histories: Sequence[NDArray[np.void]], facts: Facts, /) -> list[C | None]:
        """Return the `contribution` of many histories, in their order."""
        return [self.contribution(history, facts) for history in histories]

    def sum_of(self, contributions: Iterable[C], columns: int, /) -> S:
        """Return the sum of contributions over `columns` items. Raises `InvalidInput`, `SumOverflow`."""
        total = self.zero(columns)
        for each in contributions:
            total.add(each)
        return total

    def sum_of_rows(self, columns: int, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, /) -> S:
        """Put a sum together from all of its stored rows and its head, `counts` int64 [any]; raises `Corrupt`."""
        total = self.zero(columns)
        total.replace_rows(rows, counts, people)
        return total
