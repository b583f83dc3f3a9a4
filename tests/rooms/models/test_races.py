"""Threads that answer, score batches, learn and forget at once: every answer is that of a model that there was."""

import sys
import threading

import numpy as np
import pytest
import scipy.sparse

import assent.sums.float_copy as float_copy_module
from assent.models.recommender import Recommender, contribution
from assent.models.recommender.dense import weight_rows as rows_module
from assent.sums import PairSum

ITEMS, ROUNDS = 60, 60
ASKED, WEIGHTS, TARGETS = np.array([0, 3, 7, 31]), np.array([1.0, 2.0, 0.5, 1.0]), np.array([5, 1, 59, 31])
BATCH = scipy.sparse.csr_matrix(
    (np.ones(8), ([0, 0, 0, 1, 1, 2, 2, 2], [0, 3, 7, 31, 5, 1, 2, 59])), shape=(3, ITEMS), dtype=np.float64
)
#: What is asked of a model: one person's scores and reasons, a batch's scores, and its lists.
ASKS = {
    "score_one": lambda model: model.solved.score_one(ASKED, WEIGHTS),
    "parts": lambda model: model.solved.parts(ASKED, WEIGHTS, TARGETS),
    "score": lambda model: model.score(BATCH),
    "recommend": lambda model: model.recommend(BATCH, 5)[1],
}


@pytest.fixture(autouse=True)
def _restless(monkeypatch):
    """Let threads take turns all the time, and rows of a float copy outgrow their places with nearly every change."""
    monkeypatch.setattr(float_copy_module, "_ROOM_SHARE", 1000)
    monkeypatch.setattr(float_copy_module, "_ROOM_ENTRIES", 1)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_all(acts):
    """Run acts at once, each in a thread of its own, and return what they raised."""
    raised, gate = [], threading.Barrier(len(acts))

    def run(act):
        gate.wait()
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test has to see it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def crowd(count, seed):
    held = np.random.default_rng(seed).random((count, ITEMS)) < 0.15
    held[:, 0] = True
    return scipy.sparse.csr_matrix(held).astype(np.int64)


@pytest.mark.parametrize("whole", [True, False], ids=["finished rows", "no rows kept"])
@pytest.mark.parametrize(("dtype", "near"), [("float64", 1e-6), ("float32", 1e-4)])
def test_every_answer_is_that_of_a_model_that_there_was(monkeypatch, dtype, near, whole):
    """Two people come and go beside each other while others ask; in the end nothing is left of them."""
    if not whole:
        monkeypatch.setattr(rows_module, "_BYTES", 0)
        monkeypatch.setattr(rows_module, "_GATHERED", 8)
    settings = {"form": "dense", "ridge": 2.0, "neighbour_share": 0.5, "dtype": dtype}
    people, one, other = crowd(60, 1), crowd(1, 2), crowd(1, 3)

    def fitted(*more):
        return Recommender(**settings).fit(scipy.sparse.vstack([people, *more]))

    versions = [fitted(), fitted(one), fitted(other), fitted(one, other)]
    expected = {name: [ask(version) for version in versions] for name, ask in ASKS.items()}
    model, gone, wrong, heard = fitted(), [], [], dict.fromkeys(ASKS, 0)

    def come_and_go(person):
        try:
            for _ in range(ROUNDS):
                model.learn(person)
                model.forget(person)
        finally:
            gone.append(person)

    def keep_asking(name):
        while len(gone) < 2:
            told = ASKS[name](model)
            heard[name] += 1
            if min(np.abs(told - each).max() for each in expected[name]) > near:
                wrong.append((name, told))

    changing = [lambda: come_and_go(one), lambda: come_and_go(other)]
    assert run_all([*changing, *(lambda name=name: keep_asking(name) for name in ASKS)]) == []
    assert wrong == []
    assert min(heard.values()) > 0
    assert model.solved.repairs == 0
    assert model.digest() == versions[0].digest()
    for name, ask in ASKS.items():
        np.testing.assert_allclose(ask(model), expected[name][0], atol=near)
        # What is asked for could be told apart all the time.
        for place, each in enumerate(expected[name]):
            assert all(np.abs(each - another).max() > 2 * near for another in expected[name][:place])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_that_share_a_float_copy_read_it_while_it_changes(dtype):
    """A copy finds its own pairs, or none, in the float copy of another sum that changes meanwhile."""
    people, guests = ([contribution(row.indices) for row in crowd(count, 4)] for count in (60, 4))
    total, every = PairSum.of(people, ITEMS), np.arange(ITEMS, dtype=np.int32)
    float_copy, done, wrong, digest = total.float_copy(dtype), threading.Event(), [], total.digest()
    without = {person: total.pairs(person.items) for person in people}
    #: The sum that the float copy shows, and who is in it beside everybody.
    shown = [(total, None)]

    def follow():
        try:
            for turn in range(6 * ROUNDS):
                guest = guests[turn % len(guests)]
                for change, inside in ((PairSum.add, guest), (PairSum.remove, None)):
                    fresh = shown[0][0].copy()
                    change(fresh, guest)
                    fresh.sync(float_copy, [guest.items])
                    shown[0] = (fresh, inside)
        finally:
            done.set()

    def look(start):
        turn = start
        while not done.is_set():
            turn, (now, inside) = turn + 1, shown[0]
            copied, person = now.copy(), people[turn % len(people)]
            copied.remove(person)
            copied.add(person)
            pairs = copied.pairs(person.items)
            if inside is not None:
                copied.remove(inside)
                pairs = copied.pairs(person.items)
            if not np.array_equal(pairs, without[person]):
                wrong.append(person)

    assert run_all([follow, lambda: look(0), lambda: look(30)]) == []
    assert wrong == []
    assert shown[0][0].digest() == digest
    assert np.array_equal(shown[0][0].pairs(every), total.pairs(every))
