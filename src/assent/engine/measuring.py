"""What a surface measures recommenders with: events as arrays, how much they still count, lists judged, free memory."""

from __future__ import annotations

from assent.intake.interactions import Interactions, read_interactions
from assent.models.ranking import recall_and_ndcg
from assent.models.recommender import fresh_values
from assent.models.recommender.memory import available_bytes

__all__ = ["Interactions", "available_bytes", "fresh_values", "read_interactions", "recall_and_ndcg"]
