"""The kinds of models that the engine keeps: a new one is one more row, and nothing else has to change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assent.learn.model_server import ModelServer
from assent.learn.server import Server, SumServer
from assent.models.recommender import AdditiveRecommender

if TYPE_CHECKING:
    from assent.learn.model_files import ModelFolder
    from assent.models.additive import AdditiveModel
    from assent.store import Store


@dataclass(frozen=True, slots=True)
class Kind:
    """A model, and who answers from it: unless told, whoever solves its sum in memory."""

    model: AdditiveModel[Any, Any, Any]
    server: Callable[[Store, Any, ModelFolder], Server] = SumServer

    @property
    def name(self) -> str:
        """What store, certificates and exports call it."""
        return self.model.name


#: The name of the recommender's sum: decisions ask it.
MODEL: Final = AdditiveRecommender.name

#: The recommender comes first: a training reports its sum.
KINDS: tuple[Kind, ...] = (Kind(AdditiveRecommender(), ModelServer),)
