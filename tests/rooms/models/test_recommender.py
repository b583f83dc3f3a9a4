import dataclasses
import functools
import threading

import numpy as np
import pytest
import scipy.linalg.lapack
import scipy.sparse

import assent.models.recommender.dense.weight_rows as rows_module
import assent.models.recommender.solved as solved_module
from assent.models.recommender import Recommender, RecommenderSettings, contribution
from assent.models.recommender.dense.form import DenseForm
from assent.sums import PairSum, invert_in_place
from assent.terms.errors import AssentError, Corrupt, InvalidInput, NotEnoughMemory, NotFound, NotLearned, SumOverflow


def crowd(people=80, items=24, seed=1, share=0.2):
    """People of two tastes: each half of the items is mostly held by one half of the people."""
    random = np.random.default_rng(seed)
    chance = np.full((people, items), share / 4)
    chance[: people // 2, : items // 2] = share * 2
    chance[people // 2 :, items // 2 :] = share * 2
    return scipy.sparse.csr_matrix((random.random((people, items)) < chance).astype(np.int64))


def by_the_book(matrix, settings):
    """The weights of the formula, in float64, without any of the machinery."""
    x = matrix.toarray().astype(np.float64)
    gram = np.zeros((x.shape[1], x.shape[1]))
    for row in x:
        if row.any():
            square, fourth, top = (row**2).sum(), (row**4).sum(), row.max() ** 2
            length = np.sqrt((square**2 + fourth) / 2) / top
            gram += np.outer(row, row) / (top * length**settings.weight_exponent)
    counts = (x > 0).sum(axis=0)
    octaves = 2.0 ** np.floor(np.log2(np.maximum(counts, 8)))
    inverse = np.linalg.inv(gram + np.diag(settings.ridge * octaves ** (2 * settings.popularity_exponent)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    weights *= (1 - settings.neighbour_share) * (
        np.maximum(counts, 8.0) / counts.mean()
    ) ** -settings.popularity_discount
    shares = np.maximum(counts, 8) / counts.mean()
    near = gram / gram.sum(axis=0).mean() * shares[:, None] ** -settings.input_discount
    near *= shares**-settings.neighbour_discount
    np.fill_diagonal(near, 0.0)
    return weights + settings.neighbour_share * near


@pytest.fixture
def people():
    return crowd()


@pytest.fixture
def model(people):
    return Recommender(ridge=2.0).fit(people)


@pytest.mark.parametrize(
    "settings",
    [
        RecommenderSettings(ridge=2.0),
        RecommenderSettings(ridge=2.0, weight_exponent=0.0, popularity_discount=0.0, dtype="float64"),
        RecommenderSettings(
            ridge=0.3, weight_exponent=0.875, popularity_exponent=0.4, popularity_discount=0.5, dtype="float64"
        ),
        RecommenderSettings(ridge=0.3, weight_exponent=1.0, popularity_exponent=0.1),
        RecommenderSettings(ridge=0.3, neighbour_share=1.0, input_discount=0.3, neighbour_discount=0.8),
        RecommenderSettings(
            ridge=0.3, weight_exponent=0.5, neighbour_share=0.4, neighbour_discount=-0.1, dtype="float64"
        ),
    ],
)
def test_the_scores_are_those_of_the_formula(people, settings):
    """Scores, for one person or many, are `x B` with the `B` of the formula."""
    model = Recommender(**dataclasses.asdict(settings)).fit(people)
    weights = by_the_book(people, settings)
    # Whole-number weights are rounded down to 2^-20.
    np.testing.assert_allclose(model.score(people), people @ weights, atol=2e-5)
    np.testing.assert_allclose(model.solved.score_one(people[3].indices), (people[3] @ weights)[0], atol=2e-5)
    assert model.score(people).dtype == settings.dtype
    assert model.solved.score_one(people[3].indices).dtype == np.float32


def test_people_get_what_their_like_have(people, model):
    """Each half of the crowd is mostly offered its own half of the items."""
    ids, scores = model.recommend(people, 3)
    assert ids.dtype == np.int32
    assert scores.dtype == np.float32
    assert (ids[:40] < 12).mean() > 0.9
    assert (ids[40:] >= 12).mean() > 0.9


def test_somebody_of_whom_nothing_is_known_gets_an_empty_list(people, model):
    """A row without items is not answered with items nobody meant."""
    ids, scores = model.recommend(scipy.sparse.csr_matrix((2, 24)), 4)
    assert (ids == -1).all()
    assert np.isneginf(scores).all()
    assert model.explain(scipy.sparse.csr_matrix((1, 24)), 3) == []
    assert (model.solved.score_one(np.array([], np.int64)) == 0).all()
    assert model.recommend(people[:0])[0].shape == (0, 10)


def test_dense_and_sparse_rows_score_alike(people):
    """The product is the same whether a block is multiplied as sparse or as dense."""
    wide = scipy.sparse.hstack([people, scipy.sparse.csr_matrix((80, 2000), dtype=np.int64)], format="csr")
    model = Recommender(ridge=2.0).fit(wide)
    one_item = scipy.sparse.csr_matrix(([1.0], ([0], [3])), shape=(1, 2024))
    both = scipy.sparse.vstack([one_item, scipy.sparse.csr_matrix(np.ones((1, 2024)))], format="csr")
    np.testing.assert_allclose(model.score(one_item)[0], model.score(both)[0], atol=1e-6)


def test_reasons_are_shares_of_the_score(people, model):
    """Parts name the person's own items, largest first, and add up to the score, weights and all."""
    row = people[5].astype(np.float64)
    row.data[:] = np.linspace(0.25, 1.0, len(row.data))
    whole = model.score(row)[0]
    for item in range(24):
        told = model.explain(row, item)
        assert sum(part for _, part in told) == pytest.approx(whole[item], abs=1e-6)
        assert [abs(part) for _, part in told] == sorted((abs(part) for _, part in told), reverse=True)
        assert item not in [each for each, _ in told]
    parts = model.solved.parts(row.indices, row.data, np.arange(24))
    np.testing.assert_allclose(parts.sum(axis=0), whole, atol=1e-6)
    np.testing.assert_allclose(model.solved.score_one(row.indices, row.data), whole, atol=1e-6)
    np.testing.assert_allclose(
        model.solved.parts(row.indices, None, np.arange(24)).sum(axis=0), model.solved.score_one(row.indices), atol=1e-6
    )


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_items_may_be_given_in_any_order(people, form, share):
    """Scores do not depend on the order of a person's items, and parts come in the order that was asked for."""
    model = Recommender(ridge=2.0, neighbour_share=share, form=form).fit(people)
    items, weights, targets = np.array([2, 5, 9, 20]), np.array([1.0, 0.5, 2.0, 1.5]), np.array([1, 5, 17])
    order, back = np.array([2, 0, 3, 1]), np.array([1, 2, 0])
    scores = model.solved.score_one(items, weights)
    np.testing.assert_allclose(model.solved.score_one(items[order], weights[order]), scores, atol=1e-6)
    parts = model.solved.parts(items, weights, targets)
    np.testing.assert_allclose(parts.sum(axis=0), scores[targets], atol=1e-6)
    mixed = model.solved.parts(items[order], weights[order], targets[back])
    np.testing.assert_allclose(mixed, parts[order][:, back], atol=1e-6)


def test_similar_items_are_of_the_same_taste(people, model):
    """Items that go together are close, both ways alike, and an item is not similar to itself."""
    closeness = np.array([model.similar(item) for item in range(24)])
    assert np.isneginf(np.diagonal(closeness)).all()
    np.fill_diagonal(closeness, 0.0)
    np.testing.assert_allclose(closeness, closeness.T, atol=1e-6)
    assert closeness[:12, :12].mean() > closeness[:12, 12:].mean()
    assert np.abs(closeness).max() <= 1.0


def test_popularity_counts_people(people, model):
    """Popularity is how many people hold an item, in an array of the caller's own."""
    popularity = model.solved.popularity()
    assert popularity.tolist() == np.asarray((people > 0).sum(axis=0)).ravel().tolist()
    popularity[:] = 0
    assert model.solved.popularity().any()
    assert model.solved.people == int((np.diff(people.indptr) > 0).sum())
    assert model.solved.columns == 24


def test_pending_terms_show_in_every_answer(people):
    """Pending learned and forgotten people show in each kind of answer, before they are folded in."""
    settings = {"ridge": 2.0, "popularity_exponent": 0.0, "dtype": "float64"}
    model = Recommender(**settings).fit(people[:60])
    model.learn(people[60:65]).forget(people[:5])
    fresh = Recommender(**settings).fit(people[5:65])
    assert model.solved._form.inverse.pending == 10
    row = people[30]
    np.testing.assert_allclose(model.solved.score_one(row.indices), fresh.solved.score_one(row.indices), atol=1e-7)
    some = np.array([0, 7, 20])
    np.testing.assert_allclose(
        model.solved.parts(row.indices, None, some), fresh.solved.parts(row.indices, None, some), atol=1e-7
    )
    np.testing.assert_allclose(model.similar(3)[4:], fresh.similar(3)[4:], atol=1e-7)
    np.testing.assert_allclose(model.score(people), fresh.score(people), atol=1e-12)


def test_a_contribution_is_what_learning_adds(people, model):
    """A row with its values, and its items in any order, give the same contribution; adding it is learning it."""
    row = people[2]
    made = contribution(row.indices, row.data)
    assert made == contribution(row.indices[::-1])
    assert made != contribution(row.indices, weight_exponent=1.0)
    digest = model.digest()
    model.solved.remove(made)
    assert model.digest() == Recommender(ridge=2.0).fit(people[[0, 1, *range(3, 80)]]).digest()
    model.solved.add(made)
    assert model.digest() == digest
    valued = contribution(np.array([4, 9]), np.array([2, 4]))
    assert valued.values.tolist() == [2, 4]
    half = contribution(np.array([4, 9]), np.array([1, 2]))
    assert valued.weight * 4 == pytest.approx(half.weight, rel=1e-3)


def test_many_people_at_once_are_one_solve(people):
    """A change of many people is solved anew instead of followed one by one, and comes to the same."""
    model = Recommender(ridge=2.0).fit(people[:20]).learn(people[20:])
    assert model.solved._form.inverse.terms == 0
    assert model.digest() == Recommender(ridge=2.0).fit(people).digest()
    model.forget(people[20:])
    assert model.digest() == Recommender(ridge=2.0).fit(people[:20]).digest()


def test_everybody_may_leave(people, model):
    """A model that nobody is left in has a sum of nothing and scores of nothing."""
    model.forget(people)
    assert model.solved.people == 0
    assert model.digest() == PairSum(24).digest()
    assert (np.abs(model.score(people)) < 1e-6).all()


def test_a_refused_batch_changes_nothing(people, model):
    """One stranger in a batch, and nobody of it is forgotten."""
    before, scores = model.digest(), model.score(people)
    stranger = scipy.sparse.csr_matrix(np.ones((1, 24), np.int64))
    with pytest.raises(NotLearned):
        model.forget(scipy.sparse.vstack([people[:3], stranger], format="csr"))
    assert model.digest() == before
    np.testing.assert_array_equal(model.score(people), scores)


def test_a_stranger_made_of_others_parts_is_refused():
    """Somebody never learned, whose pairs are all there with weight enough, is told by the bound on the inverse."""
    # Nobody holds the first item alone, yet two people hold it: every single entry is large enough to take.
    pairs = scipy.sparse.csr_matrix(np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], np.int64))
    model = Recommender(ridge=1e-3, weight_exponent=0.0, dtype="float64").fit(pairs)
    digest, scores = model.digest(), model.score(pairs)
    with pytest.raises(NotLearned):
        model.forget(scipy.sparse.csr_matrix(([1], ([0], [0])), shape=(1, 4)))
    assert model.digest() == digest
    assert model.solved.repairs == 1
    np.testing.assert_allclose(model.score(pairs), scores, atol=1e-9)


def test_a_damaged_inverse_is_made_anew(people, model):
    """When the bound is violated because the inverse is damaged, it is rebuilt from the sum and the act succeeds."""
    model.solved._form.inverse.dense[:] *= 1000.0
    model.forget(people[:1])
    assert model.solved.repairs == 1
    fresh = Recommender(ridge=2.0).fit(people[1:])
    assert model.digest() == fresh.digest()
    np.testing.assert_allclose(model.score(people), fresh.score(people), atol=1e-5)


def test_a_drifted_inverse_is_found_by_the_probe(people, model, monkeypatch):
    """Now and then the inverse is held against its sum; when it is off it is made anew."""
    monkeypatch.setattr(solved_module, "_PROBE_TERMS", 2)
    model.forget(people[:1])
    model.solved._form.inverse.dense[:] *= 1.1
    assert model.solved.residual(3) > 0.01
    model.forget(people[1:2])
    assert model.solved.repairs == 1
    assert model.solved.residual(3) < 1e-5
    model.forget(people[2:3]).forget(people[3:4])
    assert model.solved.repairs == 1


def test_the_probe_is_held_now_and_then(people, monkeypatch):
    """One probe for every so many terms, counted anew after a solve: it costs as much as a change."""
    model = Recommender(ridge=2.0, popularity_exponent=0.0).fit(people)
    monkeypatch.setattr(solved_module, "_PROBE_TERMS", 4)
    probed = []
    monkeypatch.setattr(DenseForm, "residual", lambda form, item: probed.append((form.terms, item)) or 0.0)
    for row in range(10):
        model.forget(people[row])
    assert probed == [(4, 4), (8, 8)]
    model.solved.solve()
    for row in range(10):
        model.learn(people[row])
    assert probed == [(4, 4), (8, 8)] * 2


class InterruptError(BaseException):
    """Stands for a person's Ctrl-C."""


def interrupted(*_, **__):
    raise InterruptError


def test_an_interrupted_fit_leaves_the_old_model_serving(people, model, monkeypatch):
    """However a fit is stopped, the old model answers as before."""
    digest, scores = model.digest(), model.score(people)
    with pytest.raises(InterruptError):
        model.fit(crowd(seed=2), progress=interrupted)
    with pytest.raises(InvalidInput):
        model.fit(crowd(seed=2) * -1)
    model._memory_bytes = model.solved._memory_bytes = 10
    with pytest.raises(NotEnoughMemory):
        model.fit(crowd(seed=2))
    with pytest.raises(NotEnoughMemory):
        model.solved.grow(30)
    assert model.digest() == digest
    np.testing.assert_array_equal(model.score(people), scores)


@pytest.mark.parametrize("name", ["_follow_person", "_follow_ridges", "_follow_difference"])
def test_an_interrupted_change_leaves_the_old_model_serving(people, model, monkeypatch, name):
    """An interrupt in the middle of learning, forgetting or following another process undoes it."""
    digest, scores = model.digest(), model.score(people)
    other = Recommender(ridge=2.0).fit(people[1:])
    rows = {item: other.solved.sum.row_bytes(item) for item in range(24)}
    monkeypatch.setattr(DenseForm, name, interrupted)
    follow = functools.partial(model.solved.replace_rows, rows, other.solved.popularity(), other.solved.people)
    act = follow if name == "_follow_difference" else functools.partial(model.forget, people[:1])
    with pytest.raises(InterruptError):
        act()
    assert model.digest() == digest
    np.testing.assert_allclose(model.score(people), scores, atol=1e-6)


def test_an_overflowing_sum_is_refused(model):
    """A contribution that would leave the range of whole numbers changes nothing."""
    total = model.solved.sum.copy()
    starts, indices, values = (part.copy() for part in total.arrays())
    values[starts[3]] = (1 << 61) - 10
    model.solved.adopt(PairSum.from_arrays((starts, indices, values), total.counts, total.people))
    digest = model.digest()
    with pytest.raises(SumOverflow):
        model.learn(scipy.sparse.csr_matrix(([1], ([0], [3])), shape=(1, 24)))
    assert model.digest() == digest


def test_rows_of_another_process_are_followed_exactly(people):
    """Changed rows from elsewhere bring the model to the same sum and the same answers, without a solve."""
    wide = scipy.sparse.hstack([people, scipy.sparse.csr_matrix((80, 176), dtype=np.int64)], format="csr")
    for settings in ({"ridge": 2.0}, {"ridge": 0.5, "popularity_exponent": 0.5}):
        ours = Recommender(dtype="float64", **settings).fit(wide[:60])
        theirs = Recommender(dtype="float64", **settings).fit(wide[2:64])
        changed = np.unique(wide[[0, 1, 60, 61, 62, 63]].indices)
        ours.solved.replace_rows(
            {int(item): theirs.solved.sum.row_bytes(item) for item in changed},
            theirs.solved.popularity(),
            theirs.solved.people,
        )
        assert ours.digest() == theirs.digest()
        assert ours.solved._form.inverse.terms > 0
        np.testing.assert_allclose(ours.score(wide), theirs.score(wide), atol=1e-10)
        ours.solved.replace_rows({}, theirs.solved.popularity(), theirs.solved.people)
        assert ours.digest() == theirs.digest()


def test_rows_that_do_not_fit_are_refused(people, model):
    """Damaged rows from elsewhere change nothing."""
    digest = model.digest()
    with pytest.raises(Corrupt):
        model.solved.replace_rows({0: b"?"}, model.solved.popularity(), model.solved.people)
    assert model.digest() == digest


def test_a_wide_difference_is_solved_anew(people, model):
    """When most rows changed, the model is solved again instead of followed; likewise when its inverse is damaged."""
    other = Recommender(ridge=2.0).fit(people[10:])
    rows = {item: other.solved.sum.row_bytes(item) for item in range(24)}
    model.solved.replace_rows(rows, other.solved.popularity(), other.solved.people)
    assert model.solved._form.inverse.terms == 0
    np.testing.assert_allclose(model.score(people), other.score(people), atol=1e-5)


def test_a_wide_difference_may_be_left_alone(people, model):
    """Without a solve the answer says that one is needed, and the model answers as before."""
    other = Recommender(ridge=2.0).fit(people[10:])
    rows = {item: other.solved.sum.row_bytes(item) for item in range(24)}
    digest, scores = model.digest(), model.score(people)
    assert not model.solved.replace_rows(rows, other.solved.popularity(), other.solved.people, solve=False)
    assert model.digest() == digest
    np.testing.assert_array_equal(model.score(people), scores)


@pytest.mark.parametrize("solve", [True, False])
def test_following_with_a_damaged_inverse_solves_anew(people, solve):
    """A bound violated while following rows from elsewhere means: rebuild from their sum, whether wanted or not."""
    wide = scipy.sparse.hstack([people, scipy.sparse.csr_matrix((80, 176), dtype=np.int64)], format="csr")
    ours, theirs = Recommender(ridge=2.0).fit(wide), Recommender(ridge=2.0).fit(wide[1:])
    ours.solved._form.inverse.dense[:] *= 1000.0
    rows = {item: theirs.solved.sum.row_bytes(item) for item in range(24)}
    assert ours.solved.replace_rows(rows, theirs.solved.popularity(), theirs.solved.people, solve=solve)
    assert ours.solved.repairs == 1
    assert ours.digest() == theirs.digest()
    np.testing.assert_allclose(ours.score(wide), theirs.score(wide), atol=1e-6)


def test_new_items_can_be_appended(people):
    """A grown model is a model fitted with empty columns, and learns their first holders."""
    model = Recommender(ridge=2.0, dtype="float64").fit(people)
    model.solved.grow(24)
    model.forget(people[:1])
    model.solved.grow(27)
    wide = scipy.sparse.hstack([people, scipy.sparse.csr_matrix((80, 3), dtype=np.int64)], format="csr")
    newcomer = scipy.sparse.csr_matrix(([1, 1, 1], ([0, 0, 0], [2, 24, 26])), shape=(1, 27))
    model.learn(newcomer)
    fresh = Recommender(ridge=2.0, dtype="float64").fit(scipy.sparse.vstack([wide[1:], newcomer], format="csr"))
    assert model.digest() == fresh.digest()
    np.testing.assert_allclose(model.score(wide), fresh.score(wide), atol=1e-12)
    with pytest.raises(InvalidInput):
        model.solved.grow(20)


def test_a_model_of_a_sum_is_the_fitted_model(people, model):
    """A sum made elsewhere, solved here, is the model that a fit gives; an empty sum is a model too."""
    made = Recommender.of_sum(model.solved.sum.copy(), ridge=2.0)
    assert made.digest() == model.digest()
    np.testing.assert_array_equal(made.score(people), model.score(people))
    empty = Recommender.of_sum(PairSum(24))
    assert empty.solved.people == 0
    assert (empty.score(people) == 0).all()
    assert Recommender.of_sum(PairSum(0)).solved.columns == 0


def test_solving_again_changes_nothing_but_rounding(people, model):
    """A scheduled solve gives the same answers from the same sum."""
    model.forget(people[:3])
    scores, heard = model.score(people), []
    model.solved.solve(progress=heard.append)
    np.testing.assert_allclose(model.score(people), scores, atol=1e-6)
    assert heard[-1] == 1.0
    assert model.solved._form.inverse.terms == 0


def test_an_unfitted_model_says_so(people):
    """Before the first fit every act names what to do."""
    model = Recommender()
    acts = (
        lambda: model.recommend(people),
        lambda: model.learn(people),
        lambda: model.forget(people),
        lambda: model.solved.columns,
        model.digest,
        lambda: model.solved.terms,
        lambda: model.save("nowhere"),
        lambda: model.solved.grow(3),
    )
    for act in acts:
        with pytest.raises(NotFound, match="fit"):
            act()


def test_answers_hold_while_another_thread_learns(people):
    """Readers in other threads always see a whole model: with everybody of a batch, or with nobody."""
    model = Recommender(ridge=2.0, dtype="float64").fit(people[:40])
    without = model.solved.score_one(np.array([1, 2]))
    with_one = Recommender(ridge=2.0, dtype="float64").fit(people[:41]).solved.score_one(np.array([1, 2]))
    failures = []

    def read(done):
        while not done.is_set():
            scores = model.solved.score_one(np.array([1, 2]))
            if min(np.abs(scores - without).max(), np.abs(scores - with_one).max()) > 1e-6:
                failures.append(scores)

    done = threading.Event()
    readers = [threading.Thread(target=read, args=(done,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(150):
        model.learn(people[40:41]).forget(people[40:41])
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_every_error_is_one_of_ours(people, model):
    """Any bad input gives an error with advice."""
    wrong = (
        lambda: model.recommend(people, 0),
        lambda: model.recommend(people, -1),
        lambda: model.recommend(people, 10**9),
        lambda: model.recommend(people, 2.5),
        lambda: model.recommend(people, [3]),
        lambda: model.explain(people, 1),
        lambda: model.explain(people[0], 24),
        lambda: model.explain(people[0], -1),
        lambda: model.solved.score_one(np.array([24])),
        lambda: model.solved.score_one(np.array([-1])),
        lambda: model.solved.score_one(np.array([1, 1])),
        lambda: model.solved.score_one(np.array([1.5])),
        lambda: model.solved.score_one(np.array([[1]])),
        lambda: model.solved.score_one(np.array([1]), np.array([-1.0])),
        lambda: model.solved.score_one(np.array([1]), np.array([np.nan])),
        lambda: model.solved.score_one(np.array([1]), np.array([np.inf])),
        lambda: model.solved.score_one(np.array([2, 24, 3])),
        lambda: model.solved.score_one(np.array([2, -1, 3])),
        lambda: model.solved.score_one(np.array([3, 1, 3])),
        lambda: model.solved.parts(np.array([1]), None, np.array([3, 99, 2])),
        lambda: model.solved.parts(np.array([1]), np.array([np.inf]), np.array([2])),
        lambda: model.solved.score_one(np.array([1]), np.array([1.0, 2.0])),
        lambda: model.solved.parts(np.array([1]), None, np.array([99])),
        lambda: model.similar(24),
        lambda: contribution(np.array([], np.int64)),
        lambda: contribution(np.array([1, 1])),
        lambda: contribution(np.array([-1])),
        lambda: contribution(np.array([1 << 40])),
        lambda: contribution(np.array([1.0])),
        lambda: contribution(np.array([1]), np.array([0])),
        lambda: contribution(np.array([1]), np.array([64])),
        lambda: contribution(np.array([1]), np.array([1.5])),
        lambda: contribution(np.array([1]), np.array([np.nan])),
        lambda: contribution(np.array([1]), np.array([1, 1])),
    )
    for act in wrong:
        with pytest.raises(InvalidInput) as caught:
            act()
        assert isinstance(caught.value, AssentError)
        assert caught.value.advice


def test_a_model_larger_than_lapack_counts_fits_in_blocks():
    """The inverse never hands more than a block to LAPACK, whose 32-bit counts end at 46,340 rows."""
    matrix = np.eye(700, dtype=np.float32) * 4
    sizes = []
    original = scipy.linalg.lapack.dpotrf
    with pytest.MonkeyPatch.context() as patch:
        seen = lambda block, **ways: sizes.append(len(block)) or original(block, **ways)  # noqa: E731
        patch.setattr(scipy.linalg.lapack, "dpotrf", seen)
        invert_in_place(matrix, block_rows=128)
    assert 64 < max(sizes) <= 128
    assert np.allclose(np.diagonal(matrix), 0.25)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_large_catalog_keeps_only_its_busiest_rows(share, monkeypatch):
    """Where there is no memory for all finished rows, answers, reasons and lists are the same as where there is."""
    held = crowd(people=60, items=140, seed=8)
    people = scipy.sparse.hstack([held, scipy.sparse.csr_matrix((60, 10), dtype=np.int64)], format="csr")
    settings = {"ridge": 2.0, "neighbour_share": share, "dtype": "float64"}
    whole = Recommender(**settings).fit(people)
    monkeypatch.setattr(rows_module, "_BYTES", 1)
    cut = Recommender(**settings).fit(people)
    everything = np.arange(150)
    for items in (everything[:40], everything[30:90], everything):
        np.testing.assert_allclose(cut.solved.score_one(items), whole.solved.score_one(items), atol=1e-6)
        parts = cut.solved.parts(items, None, everything[::7])
        np.testing.assert_allclose(parts, whole.solved.parts(items, None, everything[::7]), atol=1e-7)
        np.testing.assert_allclose(parts.sum(axis=0), cut.solved.score_one(items)[::7], atol=1e-6)
    cut.forget(people[:1])
    whole.forget(people[:1])
    np.testing.assert_allclose(cut.score(people), whole.score(people), atol=1e-12)
    np.testing.assert_array_equal(cut.recommend(people, 5)[0], whole.recommend(people, 5)[0])
