"""One decision in nine numbered steps, with its true reasons."""

from assent.decide.pipeline import Decider
from assent.decide.question import Ask, ask
from assent.decide.recording import Later, Recorder
from assent.decide.steps import Recorded

__all__ = ["Ask", "Decider", "Later", "Recorded", "Recorder", "ask"]
