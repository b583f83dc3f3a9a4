import functools

from assent.models.recommender import AdditiveRecommender, Recommender
from assent.testing.models import AdditiveModelContract
from tests.rooms.models.matrix_contract import MatrixModelContract


class TestAdditive(AdditiveModelContract):
    """The recommender as the engine keeps it."""

    model = AdditiveRecommender(ridge=1.0)


class TestAdditiveSparse(AdditiveModelContract):
    """The same, every item scored from its nearest alone, half of it from the sum itself."""

    model = AdditiveRecommender(ridge=1.0, neighbour_share=0.5, form="sparse")


class TestPlain(MatrixModelContract):
    """The recommender with a ridge small enough for people to show."""

    model = functools.partial(Recommender, ridge=1.0)


class TestDouble(MatrixModelContract):
    """The recommender in float64: solved models agree to the last digits."""

    model = functools.partial(Recommender, ridge=1.0, weight_exponent=1.0, dtype="float64")
    tolerance = 1e-12


class TestPopularityRidge(MatrixModelContract):
    """The recommender whose ridge moves with the number of people."""

    model = functools.partial(
        Recommender, ridge=0.5, popularity_exponent=0.5, popularity_discount=-0.5, weight_exponent=0.5, dtype="float64"
    )
    tolerance = 1e-12


class TestNeighbours(MatrixModelContract):
    """The recommender half of whose scores come from the sum itself."""

    model = functools.partial(Recommender, ridge=0.5, neighbour_share=0.5, weight_exponent=0.5, dtype="float64")
    tolerance = 1e-12
