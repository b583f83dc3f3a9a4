"""What one step of a decision hands to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assent.store.decisions import DecisionRow
    from assent.terms.ids import PersonId
    from assent.terms.permits import Permit, Refusal
    from assent.terms.purposes import Personalize
    from assent.vault import PersonKey


@dataclass(slots=True)
class Asked:
    """Step 0's result: who asks, and whether their history may be used."""

    person: PersonId | None
    key: PersonKey | None
    permit: Permit[Personalize] | None
    refusal: Refusal | None


@dataclass(slots=True)
class Gathered:
    """Step 1's result: the inputs to score with, and how."""

    method: str
    #: The person's own actions (empty unless a permit was given), HISTORY dtype.
    history: NDArray[np.void]
    #: Items to score from, int32, sorted, unique.
    inputs: NDArray[np.int32]
    #: How much each of them counts, int32, from 1 to 4.
    values: NDArray[np.int32]
    context: int | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What step 8 leaves to be written: one sealed row, and the permit's person if there is one."""

    row: DecisionRow
    person: PersonId | None
