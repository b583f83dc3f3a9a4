"""assent: personalization by consent."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from assent.terms import errors
from assent.terms.errors import *  # noqa: F403 - every error is public

if TYPE_CHECKING:
    from assent.engine import Engine as Engine
    from assent.engine.capabilities import *  # noqa: F403 - every answer is public
    from assent.models.recommender import Recommender as Recommender
    from assent.terms.settings import Settings as Settings

__version__ = "0.1.0"

#: Loaded when first asked for, so that the model alone does not bring the database and the vault with it.
_HOMES = {
    "Engine": "assent.engine",
    "Recommender": "assent.models.recommender",
    "Settings": "assent.terms.settings",
}
_ANSWERS = "assent.engine.capabilities"

if not TYPE_CHECKING:  # a checker reads the imports above, and finds that any other name does not exist

    def __getattr__(name: str) -> object:
        """Load a public name from its room; raises `AttributeError`."""
        if name.startswith("__"):
            raise AttributeError(name)
        home = import_module(_HOMES.get(name, _ANSWERS))
        if name not in _HOMES and name not in home.__all__:
            raise AttributeError(f"module 'assent' has no attribute '{name}'")
        return getattr(home, name)

    def __dir__() -> list[str]:
        """Return every public name."""
        return sorted({*errors.__all__, *_HOMES, *import_module(_ANSWERS).__all__, "__version__"})
