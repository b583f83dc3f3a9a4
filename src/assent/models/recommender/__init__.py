"""The recommender: a linear item-item model that forgets people exactly and explains every score."""

from assent.models.recommender.additive import AdditiveRecommender
from assent.models.recommender.inputs import contributions_of, input_of, inputs_of
from assent.models.recommender.matrix import contribution, contributions_of_rows
from assent.models.recommender.recency import fresh_values
from assent.models.recommender.recommender import Recommender
from assent.models.recommender.settings import RecommenderSettings
from assent.models.recommender.solved import SolvedModel

__all__ = [
    "AdditiveRecommender",
    "Recommender",
    "RecommenderSettings",
    "SolvedModel",
    "contribution",
    "contributions_of",
    "contributions_of_rows",
    "fresh_values",
    "input_of",
    "inputs_of",
]
