"""The recommender: a linear item-item model that forgets people exactly and explains every score."""

from assent.models.recommender.estimator import Recommender
from assent.models.recommender.matrix import contribution, contributions_of_rows
from assent.models.recommender.recency import fresh_values
from assent.models.recommender.settings import Settings

__all__ = ["Recommender", "Settings", "contribution", "contributions_of_rows", "fresh_values"]
