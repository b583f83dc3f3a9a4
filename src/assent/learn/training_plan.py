"""The plan of a training for one sum: a comparison of people's contributions now with the stored ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.terms.ids import PersonId
    from assent.vault import PersonKey

#: A training opens and weighs so many histories at once, here and in an executor.
READ_TOGETHER = 1_000
#: Past so many changed people a fresh sum is cheaper than changing the old one person by person.
REBUILD_CHANGES = 256


@dataclass(slots=True)
class TrainingPlan:
    """The changes of one training, valid for one epoch and version; contributions are those of one model."""

    epoch: int
    version: int
    columns: int
    rebuild: bool
    coming: list[Any] = field(default_factory=list)
    leaving: list[Any] = field(default_factory=list)
    staying: list[Any] = field(default_factory=list)
    fresh: list[tuple[PersonId, PersonKey, Any]] = field(default_factory=list)
    #: People with a changed contribution that an executor has sealed already.
    sealed: list[tuple[PersonId, bytes]] = field(default_factory=list)
    gone: list[PersonId] = field(default_factory=list)

    def everyone(self) -> list[Any]:
        """Return the contributions that a fresh sum holds."""
        return [*self.staying, *self.coming]

    def touched(self) -> NDArray[np.int32]:
        """Return the rows that change, int32 [k], ascending."""
        parts = [each.rows for each in (*self.coming, *self.leaving)]
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int32)


class Comparison:
    """Sorts people into staying, coming, changed and gone, one after the other."""

    def __init__(
        self, plan: TrainingPlan, stored: Mapping[PersonId, bytes], open_stored: Callable[[PersonKey, bytes], Any]
    ) -> None:
        """Fill an empty plan; `stored` are the sealed contributions from before, and `open_stored` opens one."""
        self._plan = plan
        self._left = dict(stored)
        self._open_stored = open_stored

    def add(self, person: PersonId, key: PersonKey, wanted: Any | None) -> None:
        """Compare a person's contribution now (None for nothing) with the stored one."""
        plan, sealed = self._plan, self._left.pop(person, None)
        before = self._open_stored(key, sealed) if sealed is not None else None
        if before == wanted:
            if before is not None:
                plan.staying.append(before)
            return
        if before is not None:
            plan.leaving.append(before)
        if wanted is not None:
            plan.coming.append(wanted)
            plan.fresh.append((person, key, wanted))
        else:
            plan.gone.append(person)

    def finish(self, key_of: Callable[[PersonId], PersonKey]) -> TrainingPlan:
        """Return the plan; stored people who were not compared are gone."""
        plan = self._plan
        for person, sealed in self._left.items():
            plan.leaving.append(self._open_stored(key_of(person), sealed))
            plan.gone.append(person)
        plan.rebuild = plan.rebuild or len(plan.leaving) + len(plan.coming) > REBUILD_CHANGES
        return plan
