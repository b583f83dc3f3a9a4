"""The façade: builds the house from settings, and offers every act under the name that all surfaces use."""

from assent.decide import Ask, ask
from assent.engine.facade import Engine
from assent.engine.opening import default_key_path
from assent.engine.roles import ROLES

__all__ = ["ROLES", "Ask", "Engine", "ask", "default_key_path"]
