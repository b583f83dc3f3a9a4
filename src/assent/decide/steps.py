"""What one step of a decision hands to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assent.decide.knowing import KnownPerson, Tastes, Told
    from assent.store.topics.decisions import DecisionRow
    from assent.terms.answers.decisions import Decision
    from assent.terms.ids import PersonId
    from assent.terms.permits import Permit, Refusal
    from assent.terms.purposes import Personalize


@dataclass(slots=True)
class Asked:
    """Step 0's result: who asks, and whether their history may be used."""

    known: KnownPerson | None
    permit: Permit[Personalize] | None
    refusal: Refusal | None


@dataclass(slots=True)
class Gathered:
    """Step 1's result: the inputs to score with, and how."""

    method: str
    #: What the person's own history tells; nothing unless a permit was given.
    tastes: Tastes
    #: Items to score from, int32, each once.
    inputs: NDArray[np.int32]
    #: How much each of them counts, int32, from 1 to 4.
    values: NDArray[np.int32]
    context: int | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What step 8 leaves to be written: one sealed row, and the permit's person if there is one."""

    row: DecisionRow
    person: PersonId | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered question: its id and moment, what is told, and what has to be written before it is given."""

    decision_id: str
    at: str
    told: Told
    recorded: Recorded

    @property
    def decision(self) -> Decision:
        """The answer itself."""
        return self.told.as_decision(self.decision_id, self.at)

    def json(self) -> bytes:
        """Return the answer as JSON."""
        return self.told.as_json(self.decision_id, self.at)
