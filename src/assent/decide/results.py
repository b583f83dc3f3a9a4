"""Results that one step of a decision hands to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assent.catalog import CatalogView
    from assent.decide.history_view import HistoryView, Memory, World
    from assent.decide.people_cache import CachedPerson
    from assent.models.recommender import SolvedModel
    from assent.store import Session
    from assent.store.topics.versions import Versions
    from assent.terms.permits import Permit, Refusal
    from assent.terms.purposes import Personalize


@dataclass(slots=True)
class Moment:
    """The state that the questions of one moment share: one snapshot of the store, its catalog and its model."""

    session: Session
    versions: Versions
    view: CatalogView
    model: SolvedModel | None
    #: The numbers of the items that are unlisted or unavailable.
    hidden: frozenset[int]
    #: The catalog, model and version of its sum that kept scores depend on.
    world: World
    now_ms: int
    at: str


class ConsentStep(NamedTuple):
    """Step 0's result: who asks, and whether their history may be used."""

    person: CachedPerson | None
    permit: Permit[Personalize] | None
    refusal: Refusal | None


@dataclass(slots=True)
class Candidates:
    """Step 1's result: the inputs to score with, and how."""

    method: str
    #: The view of the person's own history; empty unless a permit was given.
    history: HistoryView
    #: The results worked out from it in this world.
    memory: Memory
    #: Items to score from, int32 [k], ascending, each once.
    inputs: NDArray[np.int32]
    #: The weight of each of them, int32 [k], from 1 to 4.
    values: NDArray[np.int32]
    #: The number of the item on the page, None where there is none that the catalog knows.
    context: int | None


@dataclass(slots=True)
class Choice:
    """Step 6's result: item numbers, best first, how many of them the score chose, and the probability of the list."""

    items: tuple[int, ...]
    personal: int
    propensity: float
