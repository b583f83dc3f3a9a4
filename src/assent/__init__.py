"""assent: personalization by consent."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.engine import Engine
    from assent.models.recommender import Recommender

__version__ = "0.1.0"
__all__ = ["Engine", "Recommender", "__version__"]

#: Loaded when first asked for, so that the model alone does not bring the database and the vault with it.
_HOMES = {"Engine": "assent.engine", "Recommender": "assent.models.recommender"}


def __getattr__(name: str) -> object:
    """Load a public name from its room."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    message = f"module 'assent' has no attribute '{name}'"
    raise AttributeError(message)
