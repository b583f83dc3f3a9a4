import numpy as np
import scipy.sparse

from assent.models.recommender import Recommender


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
    assert model.repairs == 0
