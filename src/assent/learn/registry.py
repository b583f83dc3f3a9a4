"""The kinds of models that the engine keeps: a new one is one more row."""

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
    """A model, and its server: by default, one that solves the sum in memory."""

    model: AdditiveModel[Any, Any, Any]
    server: Callable[[Store, Any, ModelFolder], Server] = SumServer

    @property
    def name(self) -> str:
        """Its name in the store, certificates and exports."""
        return self.model.name


#: The name of the recommender's sum, which decisions use.
MODEL: Final = AdditiveRecommender.name

#: The recommender comes first, because a training reports the first sum.
KINDS: tuple[Kind, ...] = (Kind(AdditiveRecommender(), ModelServer),)
