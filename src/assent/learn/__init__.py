"""The keeper of sums: it adds people who agreed, subtracts people exactly, solves, and verifies."""

from assent.learn.kept_sum import Forgotten
from assent.learn.registry import MODEL
from assent.learn.sums_keeper import SumsKeeper
from assent.learn.withdrawal import Withdrawals
from assent.models.recommender import input_of

__all__ = ["MODEL", "Forgotten", "SumsKeeper", "Withdrawals", "input_of"]
