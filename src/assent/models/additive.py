"""The interface of additive models: a sum over the people who agreed, and a solve of that sum.

    zero -> contribution -> add, remove -> solve

A model subclasses `AdditiveModel`, its name goes into one row of `learn/registry.py`, and
`assent.testing.AdditiveModelContract` proves it. Models see no person's id and no disk.
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
    """The facts that a model may use beside a history: facts of items, never of a person.

    `columns`: the number of items, numbered from 0. `labels(name)`: the catalog's text of each item under `name` (a
    category, say), in the order of their numbers; empty where there is none.
    """

    columns: int
    labels: Callable[[str], Sequence[str]]


def actions_of(history: NDArray[np.void]) -> NDArray[np.uint16]:
    """Return the action code of each entry of a history (HISTORY dtype, [entries]), uint16 [entries]."""
    actions: NDArray[np.uint16] = history["act"] & np.uint16((1 << ACTION_BITS) - 1)
    return actions


class AdditiveContribution(Protocol):
    """One person's contribution to a sum: whole numbers; equal contributions add the same."""

    @property
    def rows(self) -> NDArray[np.int32]:
        """The changed rows of the sum, int32 [k], ascending, each once."""
        ...

    def to_bytes(self) -> bytes:
        """Return the stored form."""
        ...


C = TypeVar("C", bound=AdditiveContribution)
C_contra = TypeVar("C_contra", bound=AdditiveContribution, contravariant=True)


class AdditiveSum(Protocol[C_contra]):
    """A sum of contributions: equal to the last bit for the same people, in any order and by any shards.

    It is stored as `rows` rows of bytes, and a head of `columns`, `counts` and `people`.
    """

    @property
    def columns(self) -> int:
        """The number of items."""
        ...

    @property
    def people(self) -> int:
        """The number of people."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """The whole numbers beside the rows, int64 [any]: the number of people of each item, say."""
        ...

    @property
    def rows(self) -> int:
        """The number of stored rows, numbered from 0."""
        ...

    def add(self, contribution: C_contra, /) -> None:
        """Add one person. Raises `InvalidInput` past the last item, `SumOverflow`; then nothing changed."""
        ...

    def remove(self, contribution: C_contra, /) -> None:
        """Subtract one person. Raises `NotLearned` when the sum cannot contain them; then nothing changed."""
        ...

    def merge(self, other: Self, /) -> None:
        """Add another sum over as many items: two shards become one. Raises `InvalidInput`, `SumOverflow`."""
        ...

    def grow(self, columns: int, /) -> None:
        """Append items without people until there are `columns`; raises `InvalidInput` for fewer than before."""
        ...

    def copy(self) -> Self:
        """Return an independent sum."""
        ...

    def flush(self) -> None:
        """Write pending contributions into the rows, so that none is kept by itself."""
        ...

    def digest(self) -> str:
        """Return the SHA-256 of the whole sum, in hex."""
        ...

    def row_bytes(self, row: int, /) -> bytes:
        """Return the stored form of a row."""
        ...

    def replace_rows(self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, /) -> None:
        """Replace stored rows by number, with their `counts`, int64 [any], and `people`.

        Raises `Corrupt` when they cannot be read or do not belong together; then nothing changed.
        """
        ...


S = TypeVar("S", bound=AdditiveSum[Any])
S_co = TypeVar("S_co", bound=AdditiveSum[Any], covariant=True)


class Solved(Protocol[S_co]):
    """A solved model: it answers from a sum."""

    @property
    def sum(self) -> S_co:
        """The sum that it was solved from; do not change it."""
        ...

    def scores_of(self, history: NDArray[np.void], /) -> NDArray[Any]:
        """Return the answers to a history (HISTORY dtype, [entries]), floats [answers]."""
        ...

    def parts_of(self, history: NDArray[np.void], /) -> NDArray[Any]:
        """Return the reasons of these answers, float32 or float64 [reasons, answers]: a column adds up to an answer."""
        ...

    def save(self, path: Path, /) -> None:
        """Write it to one file, whole or not at all. Raises `StoreUnavailable`."""
        ...


M_co = TypeVar("M_co", bound=Solved[Any], covariant=True)


class AdditiveModel(Protocol[C, S, M_co]):
    """A kind of model. Subclass it; methods that follow from the others are there already.

    Histories are arrays of HISTORY dtype: `item`, `day`, `act` (see `actions_of`), [entries], oldest first.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name in the store, certificates and exports; it never changes."""
        ...

    @abstractmethod
    def zero(self, columns: int, /) -> S:
        """Return the sum without people, of `columns` items."""
        ...

    @abstractmethod
    def contribution(self, history: NDArray[np.void], facts: Facts, /) -> C | None:
        """Return the contribution of a history (HISTORY dtype, [entries]), None for nothing; always the same one."""
        ...

    @abstractmethod
    def read_contribution(self, stored: bytes, /) -> C:
        """Read what `to_bytes` of a contribution wrote; raises `Corrupt` for anything else."""
        ...

    @abstractmethod
    def solve(self, total: S, /) -> M_co:
        """Return the solved model of a sum, which it takes over. Raises `NotEnoughMemory`."""
        ...

    @abstractmethod
    def load(self, path: Path, /) -> M_co:
        """Read what `save` of a solved model wrote. Raises `NotFound`, `StoreUnavailable`, `Corrupt`."""
        ...

    @abstractmethod
    def describe(self, contribution: C, items: Mapping[int, str], /) -> dict[str, Any]:
        """Return a contribution as JSON for its person's export; `items` are ids by number."""
        ...

    def contributions(self, histories: Sequence[NDArray[np.void]], facts: Facts, /) -> list[C | None]:
        """Return the `contribution` of many histories (HISTORY dtype, [entries]), in their order."""
        return [self.contribution(history, facts) for history in histories]

    def sum_of(self, contributions: Iterable[C], columns: int, /) -> S:
        """Return the sum of contributions over `columns` items. Raises `InvalidInput`, `SumOverflow`."""
        total = self.zero(columns)
        for each in contributions:
            total.add(each)
        return total

    def sum_of_rows(self, columns: int, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int, /) -> S:
        """Return the sum of all of its stored rows and its head, `counts` int64 [any]; raises `Corrupt`."""
        total = self.zero(columns)
        total.replace_rows(rows, counts, people)
        return total
