"""Keeps the sums: adds people who said yes, takes people out exactly, solves, verifies. The disk holds the truth."""

from assent.learn.kept_sum import Forgotten
from assent.learn.registry import MODEL
from assent.learn.sums_keeper import SumsKeeper
from assent.learn.withdrawal import Withdrawals
from assent.models.recommender import taste

__all__ = ["MODEL", "Forgotten", "SumsKeeper", "Withdrawals", "taste"]
