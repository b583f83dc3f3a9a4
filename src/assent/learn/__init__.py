"""Keeps the sums: adds people who said yes, takes people out exactly, solves, verifies. The disk holds the truth."""

from assent.learn.learning import Forgotten, Learning
from assent.learn.snapshot import MODEL
from assent.learn.taste import taste

__all__ = ["MODEL", "Forgotten", "Learning", "taste"]
