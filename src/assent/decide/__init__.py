"""One decision in nine numbered steps, with its true reasons."""

from assent.decide.pipeline import Decider
from assent.decide.question import Ask, ask
from assent.decide.record_queue import Later, RecordQueue
from assent.decide.steps import Answer, Recorded

__all__ = ["Answer", "Ask", "Decider", "Later", "RecordQueue", "Recorded", "ask"]
