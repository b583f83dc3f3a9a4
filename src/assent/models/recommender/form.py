"""What the estimator asks of a solved model, whatever arrays it is kept in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import Settings
from assent.sums import Contribution, PairSum


class Form(Protocol):
    """A sum and what was solved from it. Inputs are checked by the caller: items int32 ascend, weights are float64."""

    #: What the model file calls it.
    kind: ClassVar[str]
    #: The sum it was solved from; do not change it.
    total: PairSum

    @property
    def columns(self) -> int:
        """The number of items."""
        ...

    @property
    def terms(self) -> int:
        """How many changes it has followed since it was last solved from the sum itself."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the scores of many people: float32 or float64."""
        ...

    def score_one(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the score of every item for one person, float32 [columns]."""
        ...

    def parts(
        self, items: NDArray[np.int32], weights: NDArray[np.float64], targets: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return what each item adds to the score of each target, float64 [items, targets]."""
        ...

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return how closely every item goes with `item`, float32 [columns], -1 to 1, and -inf for the item itself."""
        ...

    def score_rows(self, people: Any, out: NDArray[Any]) -> None:
        """Write the scores of a block of people, CSR float64 [people, columns], to `out` [people, columns]."""
        ...

    def follow(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> None:
        """Take over `fresh`, which is `total` with `people` added (`sign` 1) or taken out (-1).

        Raises `Corrupt` when the solved arrays cannot follow; then, and when interrupted, they are good for nothing.
        """
        ...

    def follow_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> bool:
        """Take over `fresh`, which differs from `total` in the rows `items` of the upper triangle only.

        Returns `False`, having done nothing, when solving anew is cheaper. Raises `Corrupt` as `follow`.
        """
        ...

    def grow(self, fresh: PairSum, memory_bytes: int | None) -> None:
        """Take over `fresh`, which is `total` with empty columns appended. Raises `NotEnoughMemory`.

        `memory_bytes` replaces the memory that is really free.
        """
        ...

    def residual(self, item: int) -> float:
        """Return how far the solved arrays are from what the sum says of `item`; 0 is exact."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the solved arrays under their names in the model file; do not write to them."""
        ...

    @classmethod
    def from_arrays(cls, total: PairSum, settings: Settings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over arrays that `arrays` gave. Raises `Corrupt` or `KeyError` when they do not belong to the sum."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """A form that takes long to follow: it works out what changes while its answers go on.

    What is returned puts the change in place, which is quick; until then, and when the work is stopped, nothing of the
    form has changed. Between the two nothing else may change it.
    """

    def prepare(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> Callable[[], object]:
        """Work out what `Form.follow` takes over."""
        ...

    def prepare_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
        """Work out what `Form.follow_rows` takes over; what is returned tells what that would."""
        ...

    def prepare_growth(self, fresh: PairSum, memory_bytes: int | None) -> Callable[[], object]:
        """Work out what `Form.grow` takes over. Raises `NotEnoughMemory`."""
        ...


def following(form: Form, fresh: PairSum, people: Sequence[Contribution], sign: int) -> Callable[[], object]:
    """Return what lets a form follow people, once everything is done that may be done while it answers."""
    if isinstance(form, Preparing):
        return form.prepare(fresh, people, sign)
    return functools.partial(form.follow, fresh, people, sign)


def following_rows(form: Form, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
    """Return what lets a form follow rows, once everything is done that may be done while it answers."""
    if isinstance(form, Preparing):
        return form.prepare_rows(fresh, items)
    return functools.partial(form.follow_rows, fresh, items)


def growing(form: Form, fresh: PairSum, memory_bytes: int | None) -> Callable[[], object]:
    """Return what lets a form grow, once everything is done that may be done while it answers."""
    if isinstance(form, Preparing):
        return form.prepare_growth(fresh, memory_bytes)
    return functools.partial(form.grow, fresh, memory_bytes)
