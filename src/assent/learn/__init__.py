"""Keeps the sums: adds people who said yes, takes people out exactly, solves, verifies. The disk holds the truth."""

from assent.learn.learning import Forgotten, Learning
from assent.learn.snapshot import MODEL
from assent.learn.taste import taste
from assent.learn.withdrawal import Withdrawals

__all__ = ["MODEL", "Forgotten", "Learning", "Withdrawals", "taste"]
