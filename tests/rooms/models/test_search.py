import numpy as np
import pytest
import scipy.sparse

import assent.models.recommender.tuning.search as tuning_module
from assent.models.recommender import Recommender, RecommenderSettings
from assent.models.recommender.tuning.trial import Trial
from assent.terms.errors import InvalidInput


def crowd(people=300, items=40, tastes=4, seed=5):
    """People who mostly hold the items of their own taste."""
    random = np.random.default_rng(seed)
    chance = np.where(np.arange(people)[:, None] % tastes == np.arange(items) % tastes, 0.5, 0.06)
    return scipy.sparse.csr_matrix((random.random((people, items)) < chance).astype(np.float64))


PEOPLE = crowd()
POOR = RecommenderSettings(ridge=1e6, popularity_discount=-1.0, neighbour_share=0.0)


@pytest.fixture(scope="module")
def trial():
    return Trial.hiding(PEOPLE, 0)


def test_tuning_finds_better_settings_and_learns_everybody():
    """From poor settings the search comes to better ones, and the model is then fitted on all of the matrix."""
    people, heard = crowd(people=1_000, items=90, tastes=9), []
    start = {"ridge": POOR.ridge, "popularity_discount": POOR.popularity_discount, "neighbour_share": 0.0}
    model = Recommender(**start).tune(people, progress=heard.append)
    trial = Trial.hiding(people, 1)
    assert (trial.worths(model.settings) - trial.worths(POOR)).mean() > 0.02
    fresh = Recommender(weight_exponent=model.settings.weight_exponent).fit(people)
    assert model.digest() == fresh.digest()
    assert heard[-1] == 1.0
    assert all(0.0 <= share <= 1.0 for share in heard)


def test_what_chance_gives_is_hardly_ever_followed():
    """Where nothing is to be learned about tastes, the best found looks better, and the settings stay as they were."""
    random = np.random.default_rng(2)
    aimless = scipy.sparse.csr_matrix((random.random((200, 60)) < 0.2).astype(np.float64))
    looked, moved = 0, 0
    for seed in range(12):
        trial = Trial.hiding(aimless, seed)
        search = tuning_module._Search([trial], RecommenderSettings(), 600.0, None)
        for name in tuning_module._COMBINED:
            search.along(name)
        looked += search.best != RecommenderSettings()
        moved += tuning_module.tune([trial], RecommenderSettings(), seconds_max=600.0) != RecommenderSettings()
    assert looked >= 10
    assert moved <= 2


def test_validation_judges_by_what_people_took_afterwards():
    """Given what was held before and taken after, settings are chosen by that alone, whatever is learned in the end."""
    random = np.random.default_rng(4)
    before = crowd(people=900, items=90, tastes=9)
    rows, popular = np.arange(900), random.integers(0, 30, (900, 3))
    later = scipy.sparse.csr_matrix((np.ones(2_700), (rows.repeat(3), popular.ravel())), before.shape)
    trial = Trial.validating(before, later, 0)
    assert not trial._hidden.multiply(before).nnz
    whole = ((before + later) > 0).astype(np.float64)
    model = Recommender().tune(whole, validation=[(before, later)])
    assert model.settings == tuning_module.tune([trial], RecommenderSettings(), seconds_max=600.0)
    assert model.digest() == Recommender(weight_exponent=model.settings.weight_exponent).fit(whole).digest()


def test_validation_that_does_not_fit_is_refused():
    """Parts with other people or other items, or in which nothing new was taken, change nothing and say why."""
    model = Recommender(ridge=2.0).fit(PEOPLE)
    digest = model.digest()
    for validation in ((PEOPLE, PEOPLE[:10]), (PEOPLE[:, :9], PEOPLE[:, :9]), (PEOPLE, PEOPLE), (PEOPLE,), PEOPLE):
        with pytest.raises(InvalidInput) as caught:
            model.tune(PEOPLE, validation=[(PEOPLE, crowd(seed=6)), validation])
        assert caught.value.advice
    assert model.digest() == digest
    assert model.settings == RecommenderSettings(ridge=2.0)


def test_the_same_seed_gives_the_same_settings():
    """Given time enough, nothing but the matrix, the start and the seed decides."""
    found = {tuning_module.tune([Trial.hiding(PEOPLE, 3)], RecommenderSettings(), seconds_max=600.0) for _ in range(2)}
    assert len(found) == 1


def test_another_seed_hides_something_else(trial):
    """The seed decides what is hidden, and with it, on another slice, what the same settings are worth."""
    other = Trial.hiding(PEOPLE, 1)
    assert (other._hidden != trial._hidden).nnz
    assert other.worths(RecommenderSettings()).mean() != trial.worths(RecommenderSettings()).mean()


def test_the_settings_are_a_few_rounded_numbers(trial):
    """Settings that are chosen from people's data have few digits: values on a grid, and a ridge of two digits."""
    found = tuning_module.tune([trial], RecommenderSettings(), seconds_max=600.0)
    for name, places in tuning_module._PLACES.items():
        assert getattr(found, name) in {*places, getattr(RecommenderSettings(), name)}
    assert float(f"{found.ridge:.1e}") == found.ridge


def test_no_time_means_the_settings_as_they_were():
    """A search that may not try anything keeps what it began with, and the model is fitted all the same."""
    model = Recommender(ridge=7.0).tune(PEOPLE, seconds_max=0.0)
    assert model.settings == RecommenderSettings(ridge=7.0)
    assert model.solved.people == 300


def test_what_is_hidden_is_a_fifth_of_what_people_hold(trial):
    """Nobody loses or gains an item, and nobody loses all of them."""
    whole = trial._kept + trial._hidden
    assert (whole != PEOPLE).nnz == 0
    lengths = np.diff(PEOPLE.indptr)
    np.testing.assert_array_equal(np.diff(trial._hidden.indptr), np.where(lengths >= 5, np.round(0.2 * lengths), 0))


def test_worth_is_recall_and_ndcg_of_the_models_own_lists(trial):
    """A trial measures the lists of the recommender that is fitted on the kept items."""
    rows = np.flatnonzero(np.diff(trial._hidden.indptr))
    wanted = trial._hidden[rows].toarray() > 0
    for settings in (
        {"ridge": 3.0},
        {"ridge": 3.0, "neighbour_share": 0.6, "input_discount": 0.2, "popularity_exponent": 0.25},
        {"ridge": 3.0, "neighbour_share": 1.0, "neighbour_discount": 0.9, "weight_exponent": 1.0},
    ):
        lists = Recommender(**settings).fit(trial._kept).recommend(trial._kept[rows], 20)[0]
        hits = np.take_along_axis(wanted, lists, axis=1) & (lists >= 0)
        discounts = 1 / np.log2(np.arange(2, 22))
        ideal = np.cumsum(discounts)[np.minimum(wanted.sum(axis=1), 20) - 1]
        worths = hits.sum(axis=1) / wanted.sum(axis=1) + (hits * discounts).sum(axis=1) / ideal
        assert trial.worths(RecommenderSettings(**settings)).mean() == pytest.approx(worths.mean(), abs=2e-3)


def test_a_large_catalog_is_tried_on_its_most_popular_items(monkeypatch):
    """The trial is cut to the items that most people hold; the sum over them is that of whole people."""
    monkeypatch.setattr("assent.models.recommender.tuning.trial._ITEMS", 10)
    cut = Trial.hiding(PEOPLE, 0)
    counts = np.bincount(cut._kept.indices, minlength=40)
    assert len(cut._common) == 10
    assert counts[cut._common].min() >= np.sort(counts)[-10]
    gram, _ = cut._gram(1.0)
    total = Recommender(weight_exponent=1.0).fit(cut._kept).solved.sum
    np.testing.assert_allclose(np.diagonal(gram), total.diagonal()[cut._common] / 2**20, rtol=1e-5)


def test_nobody_with_items_enough_is_refused():
    """When no item can be hidden there is nothing to judge settings by; the model before it stays."""
    short = scipy.sparse.identity(30, format="csr")
    model = Recommender(ridge=2.0).fit(PEOPLE)
    digest = model.digest()
    for matrix in (short, scipy.sparse.csr_matrix((3, 4))):
        with pytest.raises(InvalidInput) as caught:
            model.tune(matrix)
        assert caught.value.advice
    assert model.digest() == digest
    assert model.settings == RecommenderSettings(ridge=2.0)


def test_of_very_many_people_some_are_drawn(monkeypatch):
    """A trial judges by no more people than its bound, the same ones for the same seed."""
    monkeypatch.setattr("assent.models.recommender.tuning.trial._PEOPLE", 30)
    kept, hidden = PEOPLE.tocsr(), PEOPLE.tocsr()
    few = [Trial(kept, hidden, seed) for seed in (1, 1, 2)]
    assert all(0 < each._inputs.shape[0] <= 30 for each in few)
    assert (few[0]._inputs != few[1]._inputs).nnz == 0
    assert few[0]._inputs.shape != few[2]._inputs.shape or (few[0]._inputs != few[2]._inputs).nnz > 0
