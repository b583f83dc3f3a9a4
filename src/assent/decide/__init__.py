"""One decision in nine numbered steps, with its true reasons."""

from assent.decide.answer import Answer
from assent.decide.decider import Decider
from assent.decide.question import Question
from assent.decide.record_queue import Later, RecordQueue

__all__ = ["Answer", "Decider", "Later", "Question", "RecordQueue"]
