"""One open history read once, and the scores made from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from assent.learn import input_of
from assent.terms.events import BOUGHT
from assent.vault import actions_of

if TYPE_CHECKING:
    from collections.abc import Hashable
    from weakref import ReferenceType

    from numpy.typing import NDArray

    from assent.catalog import CatalogView
    from assent.decide.answer import Told
    from assent.models.recommender import SolvedModel
    from assent.terms.answers.decisions import Suggestion

#: Scores depend on these beside their inputs: catalog, model, and the version of its sum. The reference is weak, so
#: that a replaced model is freed.
World: TypeAlias = "tuple[CatalogView, ReferenceType[SolvedModel] | None, int]"

#: The number of different results of one kind kept for one person: the slots of a page or two.
KEPT_RESULTS = 8

T = TypeVar("T")


class Kept(dict["Hashable", T]):
    """The last few results of one pure function, by what it was called with."""

    __slots__ = ()

    def keep(self, key: Hashable, result: T) -> T:
        """Keep a result, and return it."""
        if len(self) >= KEPT_RESULTS:
            self.clear()
        self[key] = result
        return result


@dataclass(frozen=True, slots=True)
class Scores:
    """The best scores of a catalog: item numbers int32 [k], best first, ties by number, with their values [k]."""

    items: NDArray[np.int32]
    values: NDArray[np.floating[Any]]
    #: The first of the items once more, for those who walk down the list.
    first: tuple[int, ...]
    #: True when every item with a score above zero is among them.
    complete: bool


class Memory:
    """Results worked out from one history in one world: scores, and how a list made from them is explained and told.

    Which items are chosen is never part of it: that may depend on the time, on counts and on chance.
    """

    __slots__ = ("inputs", "reasons", "scores", "told")

    def __init__(self) -> None:
        #: Step 1's method, inputs and how much each counts, by the item on the page.
        self.inputs: Kept[tuple[str, NDArray[np.int32], NDArray[np.int32]]] = Kept()
        #: Step 3, by the item on the page that is an input too.
        self.scores: Kept[Scores] = Kept()
        #: Step 7's reasons, by the chosen items.
        self.reasons: Kept[tuple[Suggestion, ...]] = Kept()
        #: Step 7's answers, by the chosen items and everything of the question that they tell.
        self.told: Kept[Told] = Kept()


class HistoryView:
    """One history as deciding reads it: it is the same for every question until the history changes."""

    def __init__(self, history: NDArray[np.void]) -> None:
        """Read a history (HISTORY dtype) that a permit opened."""
        #: The acts themselves, oldest first.
        self.history = history
        #: The items to score from, int32, ascending, and how fresh each of them is, int32, from 1 to 4.
        self.inputs, self.values = input_of(history)
        #: The items bought before.
        self.bought = frozenset(history["item"][actions_of(history) == BOUGHT].tolist())
        self._world: World | None = None
        self._memory = Memory()

    @cached_property
    def actions(self) -> dict[int, int]:
        """For each item the code of the weightiest thing the person did with it."""
        codes = actions_of(self.history)
        order = np.argsort(codes, kind="stable")
        return dict(zip(self.history["item"][order].tolist(), codes[order].tolist(), strict=True))

    def memory(self, world: World) -> Memory:
        """Return what was worked out in this world; what belongs to another is dropped."""
        if self._world != world:
            self._world, self._memory = world, Memory()
        return self._memory
