"""What the estimator asks of a solved model, whatever arrays it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import RecommenderSettings
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

    def prepare(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> Callable[[], object]:
        """Return what takes over `fresh`, which is `total` with `people` added (`sign` 1) or taken out (-1).

        Whatever takes long is done before, while answers go on; until what is returned is called, and when the work is
        stopped, nothing of the form has changed. In between nothing else may change it. What is returned raises
        `Corrupt` when the solved arrays cannot follow; then, and when interrupted, they are good for nothing.
        """
        ...

    def prepare_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
        """Return what takes over `fresh`, which differs from `total` in rows `items`, int32 [k], of its triangle.

        It returns `False`, having done nothing, when solving anew is cheaper. All else as for `prepare`.
        """
        ...

    def prepare_growth(self, fresh: PairSum, memory_bytes: int | None) -> Callable[[], object]:
        """Return what takes over `fresh`, which is `total` with empty columns appended, as for `prepare`.

        Raises `NotEnoughMemory`, or what is returned does; `memory_bytes` replaces the memory that is really free.
        """
        ...

    def residual(self, item: int) -> float:
        """Return how far the solved arrays are from what the sum says of `item`; 0 is exact."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the solved arrays, in shapes and dtypes of its own, by their names in the model file; read only."""
        ...

    @classmethod
    def from_arrays(cls, total: PairSum, settings: RecommenderSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over arrays of the names, shapes and dtypes that `arrays` gave.

        Raises `Corrupt` or `KeyError` when they do not belong to the sum.
        """
        ...
