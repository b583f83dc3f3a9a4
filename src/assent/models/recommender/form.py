"""The protocol of a solved form; `DenseForm` and `SparseForm` implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.settings import RecommenderSettings
from assent.sums import Contribution, PairSum


class Form(Protocol):
    """A sum and its solved arrays. The caller checks inputs: items int32 ascend, weights are float64."""

    #: Its name in the model file.
    kind: ClassVar[str]
    #: The sum that it was solved from; do not change it.
    total: PairSum

    @property
    def columns(self) -> int:
        """The number of items."""
        ...

    @property
    def terms(self) -> int:
        """The number of changes that it followed since it was solved from the sum."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the scores of many people: float32 or float64."""
        ...

    def score_one(self, items: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return every item's score for one person (`items` int32 [k], `weights` float64 [k]), float32 [columns]."""
        ...

    def parts(
        self, items: NDArray[np.int32], weights: NDArray[np.float64], targets: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the part of each item in the score of each target, float64 [k, t].

        `items` int32 [k], `weights` float64 [k], `targets` int32 [t].
        """
        ...

    def similar(self, item: int) -> NDArray[np.float32]:
        """Return the partial correlation of every item with `item`, float32 [columns]; -inf for the item itself."""
        ...

    def score_rows(self, people: Any, out: NDArray[Any]) -> None:
        """Write the scores of a block of people, CSR float64 [people, columns], to `out`, floats [people, columns]."""
        ...

    def prepare(self, fresh: PairSum, people: Sequence[Contribution], sign: int) -> Callable[[], object]:
        """Return the step to `fresh`, which is `total` with `people` added (`sign` 1) or subtracted (-1).

        Long work is done here, while the form answers; the form changes only when the step is called, and nothing else
        may change it in between. The step raises `Corrupt` when the solved arrays cannot follow; after that, and after
        an interrupt, the arrays are unusable.
        """
        ...

    def prepare_rows(self, fresh: PairSum, items: NDArray[np.int32]) -> Callable[[], bool]:
        """Return the step to `fresh`, which differs from `total` in rows `items`, int32 [k], of its triangle.

        The step returns `False`, without a change, when a new solve is cheaper. All else is as for `prepare`.
        """
        ...

    def prepare_growth(self, fresh: PairSum, memory_bytes: int | None) -> Callable[[], object]:
        """Return the step to `fresh`, which is `total` with empty columns appended, as for `prepare`.

        This or the step raises `NotEnoughMemory`; `memory_bytes` replaces the memory that is really free.
        """
        ...

    def residual(self, item: int) -> float:
        """Return the error of the solved arrays at `item` against the sum; 0 is exact."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the solved arrays, shape and dtype as the form has them, by their names in the file; read only."""
        ...

    @classmethod
    def from_arrays(cls, total: PairSum, settings: RecommenderSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make a form of a sum and arrays: name, shape and dtype as `arrays` gives them.

        Raises `Corrupt` or `KeyError` when they do not belong to the sum.
        """
        ...
