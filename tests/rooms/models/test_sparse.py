import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

from assent.models.recommender import Recommender, RecommenderSettings, SolvedModel
from assent.models.recommender.memory import pairs_at_most, sparse_bytes
from assent.models.recommender.sparse import form as sparse_form
from assent.models.recommender.sparse import solver as sparse_solver
from assent.models.recommender.sparse import weights as sparse_weights
from assent.models.recommender.sparse.form import SparseForm, solve_sparse
from assent.models.recommender.sparse.weights import SparseWeights
from assent.sums import PairSum
from assent.sums.nearest import NO_ITEM
from assent.sums.sum_reader import SumReader
from assent.terms.errors import Corrupt, InvalidInput, NotEnoughMemory, NotLearned
from tests.rooms.models.matrix_contract import MatrixModelContract

NEAR = 6


class TestSparse(MatrixModelContract):
    """The recommender that scores every item from its nearest alone."""

    model = functools.partial(Recommender, ridge=1.0, form="sparse")


class TestSparseNeighbours(MatrixModelContract):
    """The sparse recommender with a moving ridge, half of whose scores come from the sum itself."""

    model = functools.partial(
        Recommender, ridge=0.5, popularity_exponent=0.5, neighbour_share=0.5, dtype="float64", form="sparse"
    )


def crowd(people=300, items=120, seed=1):
    """People of four tastes who hold about six items each, the first items of each taste the most."""
    random = np.random.default_rng(seed)
    chance = np.tile(0.3 / np.sqrt(1.0 + np.arange(items // 4)), (people, 4)) * 0.1
    for taste in range(4):
        chance[taste::4, taste * (items // 4) : (taste + 1) * (items // 4)] *= 10
    return scipy.sparse.csr_matrix((random.random((people, items)) < chance).astype(np.int64))


@pytest.fixture(autouse=True)
def few_neighbours(monkeypatch, request):
    """Make items of few neighbours, and fold replaced columns often."""
    if request.cls is None:
        monkeypatch.setattr(sparse_solver, "NEIGHBOURS", NEAR)
        monkeypatch.setattr(sparse_weights, "_REPLACED_COLUMNS", 40)


@pytest.fixture(params=[0.0, 0.5])
def model(request):
    """A fitted sparse model, without and with a share of neighbours."""
    return Recommender(ridge=2.0, neighbour_share=request.param, form="sparse").fit(crowd())


def held(model):
    """The form that a model holds."""
    return model.solved._form


def assert_rebuilt(model):
    """Assert that the weights are, to the last bit, those of a form solved anew from the same sum."""
    mine, anew = held(model), solve_sparse(model.solved.sum, model.settings, None)
    np.testing.assert_array_equal(mine.weights.near, anew.weights.near)
    for layer, other in zip(mine.weights.layers, anew.weights.layers, strict=True):
        np.testing.assert_array_equal(layer, other)
    np.testing.assert_array_equal(mine.left, anew.left)
    assert (mine.edges <= anew.edges).all(), "whoever comes nearer than an edge that is too high goes unnoticed"
    probe = scipy.sparse.identity(model.solved.columns, format="csr")
    scores = np.empty((model.solved.columns, model.solved.columns), np.float32)
    anew.score_rows(probe, scores)
    np.testing.assert_allclose(model.score(probe), scores, rtol=0, atol=1e-7)
    for item in range(model.solved.columns):
        alone = (np.array([item], np.int32), np.ones(1))
        np.testing.assert_array_equal(mine.score_one(*alone), anew.score_one(*alone))
        np.testing.assert_array_equal(mine.similar(item), anew.similar(item))


def test_the_weights_are_regressions_on_the_nearest(model):
    """Each column is the ridge regression of its item on the items of largest `G_ij / sqrt(octave)`."""
    starts, indices, values = model.solved.sum.arrays()
    upper = scipy.sparse.csr_array((values, indices, starts), shape=(120, 120)).toarray() / 2**20
    gram = upper + np.triu(upper, 1).T
    octaves = 2.0 ** np.floor(np.log2(np.maximum(model.solved.sum.counts, 8)))
    ridges = model.settings.ridges(model.solved.sum.counts)
    form = held(model)
    for column in range(120):
        closeness = gram[:, column] / np.sqrt(octaves)
        closeness[column] = 0
        items = np.sort(np.argsort(-closeness, kind="stable")[:NEAR])
        items = items[closeness[items] > 0]
        near = form.weights.near[column]
        np.testing.assert_array_equal(near, [*items, *[NO_ITEM] * (NEAR - len(items))])
        expected = np.linalg.solve(gram[np.ix_(items, items)] + np.diag(ridges[items]), gram[items, column])
        np.testing.assert_allclose(form.weights.layers[0][column, : len(items)], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("people", "items", "chance"), [(400, 20, 0.4), (14, 6, 0.6)])
def test_with_every_item_near_it_is_the_dense_model(monkeypatch, people, items, chance):
    """Where all items have met, and all are neighbours, both forms are one model."""
    monkeypatch.setattr(sparse_solver, "NEIGHBOURS", 64)
    random = np.random.default_rng(5)
    people = scipy.sparse.csr_matrix((random.random((people, items)) < chance).astype(np.int64))
    for share in (0.0, 0.5):
        sparse, dense = (Recommender(neighbour_share=share, form=form).fit(people) for form in ("sparse", "dense"))
        np.testing.assert_allclose(sparse.score(people), dense.score(people), rtol=0, atol=2e-6)
        np.testing.assert_allclose(sparse.similar(3), dense.similar(3), rtol=0, atol=1e-4)


def test_after_every_change_the_weights_are_those_of_a_rebuild(model):
    """People leave and come, one by one and together: each time the columns are bit-equal to solving anew."""
    people = crowd()
    for row in range(12):
        model.forget(people[row])
        if row % 4 == 0:
            assert_rebuilt(model)
    model.learn(people[[3, 5, 7]])
    assert_rebuilt(model)
    model.forget(people[20:60])
    assert_rebuilt(model)


def test_an_answer_after_forgetting_holds_nothing_of_the_person(model):
    """The next answer is that of a model which never knew them, before anything is folded."""
    people = crowd()
    model.forget(people[0])
    never = Recommender(**settings_of(model)).fit(people[1:])
    probe = people[1]
    np.testing.assert_array_equal(
        model.solved.score_one(probe.indices, probe.data), never.solved.score_one(probe.indices, probe.data)
    )


def settings_of(model):
    """The settings that a second model of the same kind is made with."""
    return {"ridge": 2.0, "neighbour_share": model.settings.neighbour_share, "form": "sparse"}


def test_a_popularity_that_passes_an_octave_moves_the_neighbours(model):
    """When an item's count passes a power of two, all items that met it choose their neighbours again."""
    count = int(model.solved.sum.counts[0])
    more = (1 << count.bit_length()) - count
    alone = scipy.sparse.csr_matrix((np.ones(1), ([0], [0])), shape=(1, 120))
    for _ in range(more):
        model.learn(alone)
    assert_rebuilt(model)


def test_rows_changed_elsewhere_are_followed(model):
    """Rows that another process changed lead to the same weights as solving them anew."""
    people = crowd()
    other = Recommender(**settings_of(model)).fit(people)
    other.forget(people[[1, 2]])
    rows = {item: other.solved.sum.row_bytes(item) for item in np.unique(people[[1, 2]].indices).tolist()}
    model.solved.replace_rows(rows, other.solved.sum.counts, other.solved.sum.people)
    assert model.digest() == other.digest()
    assert held(model).terms == 1
    assert_rebuilt(model)


def test_rows_that_changed_everywhere_are_solved_anew(model):
    """A change of more than a quarter of the items is not followed."""
    people = crowd()
    other = Recommender(**settings_of(model)).fit(people[100:])
    rows = {item: other.solved.sum.row_bytes(item) for item in range(120)}
    model.solved.replace_rows(rows, other.solved.sum.counts, other.solved.sum.people)
    assert held(model).terms == 0
    assert_rebuilt(model)


def test_unchanged_rows_change_nothing(model):
    """Rows that are as they were touch no column."""
    scores = model.score(crowd())
    model.solved.replace_rows({0: model.solved.sum.row_bytes(0)}, model.solved.sum.counts, model.solved.sum.people)
    np.testing.assert_array_equal(model.score(crowd()), scores)


def test_new_items_are_there_at_once(model):
    """A catalog grows, people hold the new items, and the weights are those of a rebuild."""
    model.solved.grow(125)
    assert_rebuilt(model)
    wide = scipy.sparse.csr_matrix((np.ones(3), ([0, 0, 0], [0, 2, 124])), shape=(1, 125))
    model.learn(wide)
    assert_rebuilt(model)
    assert model.score(wide).shape == (1, 125)


def test_similar_items_are_those_on_either_side(model):
    """An item is similar to its neighbours and to those whose neighbour it is, within -1 and 1, not to itself."""
    form = held(model)
    for item in (0, 31):
        closeness = model.similar(item)
        near = form.weights.near[item]
        reverse = np.flatnonzero((form.weights.near == item).any(axis=1))
        assert closeness[item] == -np.inf
        assert set(np.flatnonzero(closeness).tolist()) == {*near[near != NO_ITEM].tolist(), *reverse.tolist(), item}
        assert np.abs(np.delete(closeness, item)).max() <= 1


def test_weights_hold_what_the_sum_says_until_they_are_damaged(model):
    """The residual of an item is nothing, and shows a changed weight and a changed neighbour."""
    form = held(model)
    assert model.solved.residual(7) == 0
    form.weights.layers[0][7, 0] += 0.5
    assert model.solved.residual(7) == pytest.approx(0.5, rel=1e-5)
    model.solved.solve()
    assert model.solved.residual(7) == 0


def test_a_model_read_from_a_file_follows_without_touching_it(model, tmp_path):
    """Mapped arrays may be read-only: a change is made on copies."""
    form = held(model)
    arrays = {name: array.copy() for name, array in form.arrays().items()}
    for array in arrays.values():
        array.flags.writeable = False
    again = Recommender._of(
        SolvedModel(SparseForm.from_arrays(model.solved.sum.copy(), model.settings, arrays), model.settings)
    )
    again.forget(crowd()[[4]])
    assert_rebuilt(again)


def replaced_rows(model, other):
    """Let a model take over all rows in which it differs from another."""
    before, after = model.solved.sum, other.solved.sum
    rows = {i: after.row_bytes(i) for i in range(model.solved.columns) if after.row_bytes(i) != before.row_bytes(i)}
    return model.solved.replace_rows(rows, after.counts, after.people, solve=False)


def changes(model, people):
    """Each way in which a model changes without being solved anew, by name."""
    other = Recommender(**settings_of(model)).fit(people[1:])
    return {
        "forget": functools.partial(model.forget, people[0]),
        "learn": functools.partial(model.learn, people[0]),
        "rows": functools.partial(replaced_rows, model, other),
        "grow": functools.partial(model.solved.grow, model.solved.columns + 3),
    }


@pytest.mark.parametrize(
    ("name", "work"), [("forget", "regress"), ("learn", "regress"), ("rows", "regress"), ("grow", "levels")]
)
def test_answers_go_on_while_a_change_is_solved(model, monkeypatch, name, work):
    """Somebody who asks in the middle of it is answered, as if nothing happened yet; whoever asks next sees it."""
    people, untouched = crowd(), getattr(sparse_form, work)
    row = people[5]
    asks = (
        functools.partial(model.solved.score_one, row.indices),
        functools.partial(model.recommend, row, 5),
        functools.partial(model.solved.parts, row.indices, None, np.arange(120)),
        functools.partial(model.similar, int(row.indices[0])),
    )
    model.forget(people[7])  # some columns stand beside the others already
    before, heard = [ask() for ask in asks], []
    change = changes(model, people)[name]

    def asked_meanwhile(*given):
        asking = threading.Thread(target=lambda: heard.append([ask() for ask in asks]), daemon=True)
        asking.start()
        asking.join(timeout=60)
        assert not asking.is_alive(), "answers wait for the change"
        return untouched(*given)

    monkeypatch.setattr(sparse_form, work, asked_meanwhile)
    change()
    monkeypatch.undo()
    (meanwhile,) = heard
    for old, new in zip(before, meanwhile, strict=True):
        np.testing.assert_equal(new, old)
    assert name == "grow" or not np.array_equal(asks[0](), before[0])


@pytest.mark.parametrize("work", ["levels", "choose", "regress", "_layers"])
@pytest.mark.parametrize("name", ["forget", "learn", "rows"])
def test_a_change_that_is_stopped_never_was(model, monkeypatch, name, work):
    """Wherever it is stopped, the form stands as it was, and what comes next is to the last bit as if nothing was."""
    people = crowd()
    digest, scores, form = model.digest(), model.score(people), held(model)
    change = changes(model, people)[name]

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(sparse_form, work, stop)
        with pytest.raises(KeyboardInterrupt):
            change()
    assert held(model) is form
    assert model.digest() == digest
    np.testing.assert_array_equal(model.score(people), scores)
    model.forget(people[[3]])
    assert_rebuilt(model)


def test_a_change_that_is_stopped_while_it_is_put_in_place_is_undone(model, monkeypatch):
    """Stopped half-way through putting it in place, the model is solved anew from the sum as it stood."""
    people = crowd()
    digest, scores, put = model.digest(), model.score(people), SparseWeights.install

    def stop(weights, replacement):
        put(weights, replacement)
        raise KeyboardInterrupt

    monkeypatch.setattr(SparseWeights, "install", stop)
    with pytest.raises(KeyboardInterrupt):
        model.forget(people[0])
    monkeypatch.undo()
    assert model.digest() == digest
    np.testing.assert_allclose(model.score(people), scores, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["near", "left", "weights_0", "row_starts", "row_columns", "row_weights_0"])
def test_arrays_of_another_model_are_refused(model, name):
    """Arrays that do not fit the sum or each other are not taken over."""
    arrays = held(model).arrays()
    for wrong in (arrays[name][:-1], arrays[name].reshape(-1)[:0]):
        with pytest.raises(Corrupt):
            SparseForm.from_arrays(model.solved.sum, model.settings, {**arrays, name: wrong})
    arrays.pop(name)
    with pytest.raises(KeyError):
        SparseForm.from_arrays(model.solved.sum, model.settings, arrays)


@pytest.mark.parametrize(("name", "number"), [("near", 120), ("near", -2), ("row_columns", 120), ("row_starts", -1)])
def test_numbers_outside_the_catalog_are_refused(model, name, number):
    """An item number that is none would be read past the arrays."""
    arrays = held(model).arrays()
    wrong = arrays[name].copy()
    wrong.reshape(-1)[np.flatnonzero(wrong.reshape(-1) != NO_ITEM)[0]] = number
    with pytest.raises(Corrupt):
        SparseForm.from_arrays(model.solved.sum, model.settings, {**arrays, name: wrong})


def test_a_sum_that_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    """Neither the pairs nor the weights are begun when they do not fit; the figures are told."""
    people = crowd()
    monkeypatch.setattr(PairSum, "from_matrix", None)
    with pytest.raises(NotEnoughMemory, match=r"A sum of up to \d+ pairs") as told:
        Recommender(form="sparse", memory_bytes=1_000).fit(people)
    assert "Nothing was allocated" in told.value.advice


def test_weights_that_do_not_fit_are_refused(model):
    """A sum that is there already may still be too large to solve, or to grow."""
    with pytest.raises(NotEnoughMemory, match="A sparse model over 120 items"):
        SolvedModel.of_sum(model.solved.sum.copy(), form="sparse", memory_bytes=1_000)
    model.solved._memory_bytes = 1_000
    with pytest.raises(NotEnoughMemory):
        model.solved.grow(1_000_000)
    assert model.solved.columns == 120


def test_the_pairs_are_never_more_than_told():
    """The bound holds for few items and for few people, and memory grows with both."""
    for shape in ((400, 12), (5, 200)):
        people = crowd(*shape)
        total = Recommender().fit(people).solved.sum
        assert len(total.arrays()[1]) <= pairs_at_most(people) <= shape[1] * (shape[1] + 1) // 2
    assert sparse_bytes(10, 5) < sparse_bytes(20, 5) < sparse_bytes(20, 50)


def test_what_is_too_large_for_an_inverse_is_solved_sparsely():
    """The form is chosen by memory and size, unless it is asked for."""
    people = crowd()
    fits = 120 * 120 * 4 * 2
    assert held(Recommender(memory_bytes=fits).fit(people)).kind == "dense"
    with pytest.raises(NotEnoughMemory, match="pairs"):
        Recommender(memory_bytes=fits // 8).fit(people)
    with pytest.raises(NotEnoughMemory, match="float32"):
        Recommender(form="dense", memory_bytes=fits // 8).fit(people)
    assert held(Recommender(form="sparse").fit(people)).kind == "sparse"


def test_a_large_catalog_is_sparse_by_itself(monkeypatch):
    """Past a number of items an inverse takes hours, whatever the memory."""
    monkeypatch.setattr("assent.models.recommender.solver._DENSE_ITEMS", 100)
    assert held(Recommender().fit(crowd())).kind == "sparse"


def test_a_form_that_does_not_exist_is_refused():
    """Only forms that there are can be asked for."""
    with pytest.raises(InvalidInput, match="form is one of"):
        RecommenderSettings(form="round")


def test_an_interrupted_solve_leaves_the_old_model_serving(model):
    """Interrupted while choosing or solving, in the middle of a fit, the model before it goes on answering."""
    scores, digest = model.score(crowd()), model.digest()
    for share in (0.0, 0.5):

        def interrupt(done, share=share):
            if done >= share:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model.fit(crowd(seed=2), progress=interrupt)
        assert model.digest() == digest
        np.testing.assert_array_equal(model.score(crowd()), scores)


def test_columns_come_out_the_same_alone_and_in_company(monkeypatch, model):
    """Solved in blocks, on one thread, they are what they are solved together: other machines may do it."""
    monkeypatch.setattr(sparse_solver, "BLOCK_ENTRIES", 200)
    whole = sparse_solver.solve_here(model.solved.sum, model.settings)
    reader, every = SumReader(model.solved.sum), np.arange(model.solved.columns, dtype=np.int32)
    parts = [sparse_solver.solve_some(reader, model.settings, some, threads=1) for some in np.array_split(every, 7)]
    for together, *alone in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(together, np.concatenate(alone))
    np.testing.assert_array_equal(whole.near, held(model).weights.near)


def test_a_failed_task_stops_all_others(monkeypatch):
    """The first error ends the work, and tasks that had not begun never begin."""
    begun, gate = [], threading.Event()

    class Pool(ThreadPoolExecutor):
        """A pool whose tasks go on only once the others were called off."""

        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            gate.set()
            super().shutdown(wait=wait)

    def task(first, last):
        if first == 0:
            raise ZeroDivisionError
        begun.append(last)
        gate.wait()

    monkeypatch.setattr(sparse_solver, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        sparse_solver.run_all([(task, (number, number + 1)) for number in range(100)], None)
    assert len(begun) <= 2


def test_progress_goes_from_nothing_to_done(monkeypatch, model):
    """The share done only grows, through choosing and solving, and ends at one."""
    monkeypatch.setattr(sparse_solver, "BLOCK_ENTRIES", 200)
    monkeypatch.setattr(sparse_solver, "_TASK_COLUMNS", 32)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    heard = []
    model.solved.solve(progress=heard.append)
    assert len(heard) > 8
    assert heard[-1] == 1
    assert_rebuilt(model)


def test_a_stranger_is_refused(model):
    """Somebody who holds what nobody holds together is not in the sum, and nothing changes."""
    digest = model.digest()
    stranger = scipy.sparse.csr_matrix((np.ones(120), (np.zeros(120, np.int64), np.arange(120))), shape=(1, 120))
    with pytest.raises(NotLearned):
        model.forget(stranger)
    assert model.digest() == digest


def test_nobody_and_unknown_targets_score_nothing(model):
    """A person without items has no score and no parts."""
    none = np.empty(0, np.int32)
    assert not model.solved.score_one(none).any()
    assert model.solved.parts(none, None, np.array([1, 2])).shape == (0, 2)
