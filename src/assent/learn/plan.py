"""What a training will change: a comparison of what people say now with what was added for them before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assent.learn.taste import tastes
from assent.models.recommender import contributions_of_rows
from assent.sums import Contribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assent.store.topics.sums import HeadRow
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey

#: Past this many changed people a fresh sum is cheaper than changing the old one person by person.
CHANGES_MAX = 256


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one person would contribute now; None when their history is empty."""

    person: PersonId
    key: PersonKey
    contribution: Contribution | None


@dataclass(slots=True)
class Plan:
    """The changes of one training, valid while epoch and version stand."""

    epoch: int
    version: int
    columns: int
    rebuild: bool
    coming: list[Contribution] = field(default_factory=list)
    leaving: list[Contribution] = field(default_factory=list)
    staying: list[Contribution] = field(default_factory=list)
    fresh: list[tuple[PersonId, PersonKey, Contribution]] = field(default_factory=list)
    #: People whose changed contribution comes sealed already, from an executor.
    sealed: list[tuple[PersonId, bytes]] = field(default_factory=list)
    gone: list[PersonId] = field(default_factory=list)

    def everyone(self) -> list[Contribution]:
        """Return the contributions that a fresh sum holds."""
        return [*self.staying, *self.coming]

    def touched(self) -> NDArray[np.int32]:
        """Return the items whose rows change, int32, sorted."""
        parts = [each.items for each in (*self.coming, *self.leaving)]
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int32)


def contributions_of(histories: Sequence[NDArray[np.void]]) -> list[Contribution | None]:
    """Turn many histories into contributions, the same as one by one; None for each that is empty."""
    full = [history for history in histories if len(history)]
    made = iter(contributions_of_rows(*tastes(full)) if full else ())
    return [next(made) if len(history) else None for history in histories]


def plan_changes(
    *,
    head: HeadRow | None,
    epoch: int,
    columns: int,
    held: Mapping[PersonId, bytes],
    wanted: Iterable[Wanted],
    open_held: Callable[[PersonKey, bytes], bytes],
    key_of: Callable[[PersonId], PersonKey],
    rebuild: bool,
) -> Plan:
    """Sort everybody into staying, coming, changed and gone."""
    plan = Plan(epoch=epoch, version=head.version if head else 0, columns=columns, rebuild=rebuild)
    left = dict(held)
    for each in wanted:
        sealed = left.pop(each.person, None)
        before = Contribution.from_bytes(open_held(each.key, sealed)) if sealed is not None else None
        if before == each.contribution:
            if before is not None:
                plan.staying.append(before)
            continue
        if before is not None:
            plan.leaving.append(before)
        if each.contribution is not None:
            plan.coming.append(each.contribution)
            plan.fresh.append((each.person, each.key, each.contribution))
        else:
            plan.gone.append(each.person)
    for person, sealed in left.items():
        plan.leaving.append(Contribution.from_bytes(open_held(key_of(person), sealed)))
        plan.gone.append(person)
    plan.rebuild = rebuild or len(plan.leaving) + len(plan.coming) > CHANGES_MAX
    return plan
