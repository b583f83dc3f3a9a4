"""People come and leave one by one, and rounding stays rounding."""

import gc
import weakref

import numpy as np
import pytest
import scipy.sparse

from assent.models.recommender import Recommender
from assent.sums import PairSum
from tests.rooms.models import attacks

LEAVING, STAYING = 1_000, 400


@pytest.mark.parametrize("ridge", [200.0, 1.0])
def test_a_thousand_leave_one_by_one_without_drift(ridge):
    """In double precision weights stay within 1e-10 of a fresh solve, the probe within 1e-9; nothing is repaired."""
    people = attacks.shop(LEAVING + STAYING, 1).people
    model = Recommender.of_sum(PairSum.of(people, attacks.ITEMS), ridge=ridge, dtype="float64")
    worst = 0.0
    for number, leaver in enumerate(people[:LEAVING]):
        model.solved.remove(leaver)
        if number % 20 == 0:
            worst = max(worst, model.solved.residual(number % attacks.ITEMS))
    fresh = Recommender.of_sum(PairSum.of(people[LEAVING:], attacks.ITEMS), ridge=ridge, dtype="float64")
    probe = scipy.sparse.identity(attacks.ITEMS, format="csr")
    apart = float(np.abs(model.score(probe) - fresh.score(probe)).max())
    print(f"drift after {LEAVING} leavers: ridge {ridge:g}, weights {apart:.1e}, probe {worst:.1e}")
    assert model.digest() == fresh.digest()
    assert model.solved.repairs == 0
    assert apart <= 1e-10
    assert worst <= 1e-9


def test_people_who_come_and_go_leave_no_drift():
    """After many people came and went in turns, digest and weights are those of a fresh fit."""
    random = np.random.default_rng(7)
    crowd = scipy.sparse.csr_matrix((random.random((160, 90)) < 0.12).astype(np.int64))
    inside, outside = list(range(80)), list(range(80, 160))
    model = Recommender(ridge=20.0).fit(crowd[:80])
    for leaves in random.random(400) < 0.5:
        source, target = (inside, outside) if leaves else (outside, inside)
        one = source.pop(int(random.integers(len(source))))
        (model.forget if leaves else model.learn)(crowd[one])
        target.append(one)
    fresh = Recommender(ridge=20.0).fit(crowd[sorted(inside)])
    everything = scipy.sparse.identity(90, format="csr")
    assert model.digest() == fresh.digest()
    assert np.abs(model.score(everything) - fresh.score(everything)).max() < 1e-5
    assert model.solved.repairs == 0


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_model_that_nobody_needs_is_gone_at_once(form, tmp_path):
    """Nothing waits for the garbage collector: a model that was replaced must let go of its arrays and of its file."""
    people = scipy.sparse.csr_matrix(np.random.default_rng(3).random((60, 30)) < 0.2)
    Recommender(form=form).fit(people).save(tmp_path / "model")
    gc.disable()
    try:
        for model in (Recommender(form=form).fit(people), Recommender.load(tmp_path / "model")):
            held = np.array([1, 4, 9], np.int32)
            model.solved.score_one(held)
            model.solved.parts(held, None, np.array([2, 3], np.int32))
            model.recommend(people[:5])
            model.forget(people[7])
        left = weakref.ref(model.solved._form)
        del model
        assert left() is None
    finally:
        gc.enable()
