"""The engine: builds the rooms from settings, and offers every act under the name that all surfaces use."""

from assent.decide import Question
from assent.engine.acts import ROLE_NAMES
from assent.engine.engine import Engine
from assent.engine.roles import ROLES
from assent.engine.stores import default_key_path

__all__ = ["ROLES", "ROLE_NAMES", "Engine", "Question", "default_key_path"]
