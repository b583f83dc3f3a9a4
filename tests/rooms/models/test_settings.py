import dataclasses

import numpy as np
import pytest

from assent.models.recommender import Recommender, RecommenderSettings, fresh_values
from assent.models.recommender.popularity import Popularity
from assent.terms.errors import InvalidInput


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight_exponent": -0.125},
        {"weight_exponent": 1.125},
        {"weight_exponent": 0.3},
        {"weight_exponent": float("nan")},
        {"weight_exponent": "1"},
        {"weight_exponent": True},
        {"ridge": 0.0},
        {"ridge": -1.0},
        {"ridge": float("inf")},
        {"ridge": None},
        {"popularity_exponent": 1.5},
        {"popularity_discount": 2.0},
        {"neighbour_share": -0.1},
        {"neighbour_share": 1.1},
        {"input_discount": 1.5},
        {"neighbour_discount": float("nan")},
        {"dtype": "float16"},
        {"dtype": np.float32},
    ],
)
def test_settings_without_a_model_are_refused(wrong):
    """Numbers out of range, of the wrong kind or not finite are named before anything is computed."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        RecommenderSettings(**wrong)


def test_the_ridge_moves_by_octaves_only():
    """An item's ridge changes when its people double, not when one comes or goes; rare items share one ridge."""
    settings = RecommenderSettings(ridge=2.0, popularity_exponent=0.5)
    counts = np.array([0, 1, 7, 8, 15, 16, 17, 31, 32, 1 << 40])
    assert settings.ridges(counts).tolist() == [16.0] * 5 + [32.0] * 3 + [64.0, 2.0 * (1 << 40)]
    assert (RecommenderSettings(ridge=3.0, popularity_exponent=0.0).ridges(counts) == 3.0).all()


def test_the_discount_falls_with_popularity():
    """Scores of items with more people are divided by more, from eight people on, and by one at the mean."""
    counts = np.array([0, 4, 16, 64, 116])
    np.testing.assert_allclose(
        RecommenderSettings(popularity_discount=0.5).scales(counts) / 50**0.5,
        [8**-0.5, 8**-0.5, 0.25, 0.125, 116**-0.5],
    )
    assert RecommenderSettings(popularity_discount=0.5).scales(np.array([0, 40, 40]))[1] == 1.0
    assert RecommenderSettings(popularity_discount=0.5).scales(np.zeros(2, np.int64)).tolist() == [8**-0.5] * 2
    assert (RecommenderSettings(popularity_discount=0.0).scales(counts) == 1.0).all()


def test_popularity_follows_the_counts_of_a_few_items():
    """Told which counts changed, it is what all of them give; and that is how the settings discount scores."""
    counts, followed = np.array([0, 4, 16, 64, 116]), Popularity(0.5)
    np.testing.assert_allclose(
        followed.of(counts), RecommenderSettings(popularity_discount=0.5).scales(counts), rtol=1e-14
    )
    counts = np.array([0, 4, 17, 64, 200])
    some = np.array([2, 4], np.int32)
    assert followed.of(counts, some).tolist() == Popularity(0.5).of(counts).tolist()


def test_settings_are_values():
    """RecommenderSettings cannot be changed under a model, and equal ones are equal."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        RecommenderSettings().ridge = 1.0
    assert RecommenderSettings() == RecommenderSettings()


def test_fresh_values_fall_with_age():
    """The newest items count four, older ones less, none nothing; only ages matter, not the calendar."""
    days = np.array([1000, 980, 950, 900, 820, 0])
    assert fresh_values(days).tolist() == [4, 4, 3, 2, 1, 1]
    assert fresh_values(days + 5000).tolist() == fresh_values(days).tolist()
    assert fresh_values(days.astype(np.uint16)).tolist() == fresh_values(days).tolist()
    assert fresh_values(days, half_life_days=1e9).tolist() == [4] * 6
    assert fresh_values(np.array([], np.uint16)).tolist() == []
    assert fresh_values(days).dtype == np.int32


def test_fresh_values_of_several_people_are_those_of_each():
    """Told the newest act of each, many people at once get what each of them gets alone."""
    people = [np.array([1000, 950, 900]), np.array([40]), np.array([500, 500, 380, 0])]
    newest = np.concatenate([np.full(len(days), days.max()) for days in people])
    alone = [value for days in people for value in fresh_values(days).tolist()]
    assert fresh_values(np.concatenate(people), newest=newest).tolist() == alone
    assert alone != fresh_values(np.concatenate(people)).tolist()


@pytest.mark.parametrize(
    ("days", "half_life"), [([[1]], 60.0), ([1.5], 60.0), ([1], 0.0), ([1], -1.0), ([1], float("nan"))]
)
def test_days_are_whole_numbers(days, half_life):
    """Days that are no whole numbers, and half-lives that are none, are refused."""
    with pytest.raises(InvalidInput):
        fresh_values(np.array(days), half_life)


def test_a_recommender_takes_settings_as_a_whole_or_by_keyword():
    """Keywords replace single settings; all others stay."""
    whole = RecommenderSettings(ridge=3.0, form="dense")
    assert Recommender(whole).settings == Recommender(ridge=3.0, form="dense").settings == whole
    assert Recommender(whole, ridge=4.0).settings == RecommenderSettings(ridge=4.0, form="dense")
    assert Recommender().settings == RecommenderSettings()
    with pytest.raises(TypeError):
        Recommender(no_such_setting=1.0)


def test_the_ridge_has_the_name_that_ease_gave_it():
    """`regularization` is `ridge`; both at once are refused, whatever their values."""
    assert Recommender(regularization=7.0).settings == Recommender(ridge=7.0).settings
    assert Recommender(RecommenderSettings(form="sparse"), regularization=7.0).settings.form == "sparse"
    with pytest.raises(InvalidInput, match="two names of one setting"):
        Recommender(ridge=7.0, regularization=7.0)
    with pytest.raises(InvalidInput, match="ridge is a number"):
        Recommender(regularization=0.0)
