"""The façade: builds the house from settings, and offers every act under the name that all surfaces use."""

from assent.decide import Question
from assent.engine.facade import Engine
from assent.engine.opening import default_key_path
from assent.engine.roles import ROLES

__all__ = ["ROLES", "Engine", "Question", "default_key_path"]
