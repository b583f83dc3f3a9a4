"""One decision in nine numbered steps, with its true reasons."""

from assent.decide.pipeline import Decider
from assent.decide.question import Ask, ask
from assent.decide.recording import Later, Recorder
from assent.decide.steps import Answer, Recorded

__all__ = ["Answer", "Ask", "Decider", "Later", "Recorded", "Recorder", "ask"]
