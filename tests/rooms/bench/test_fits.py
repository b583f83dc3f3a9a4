"""The fit of our own recommender."""

import dataclasses

import numpy as np
import scipy.sparse

from assent import Recommender
from assent.bench.fits import fit_ours
from assent.bench.lists import Task


def test_settings_are_found_by_validation_where_times_are_known():
    """What tuning is judged by is what was taken after some day, not a slice drawn from everything."""
    random = np.random.default_rng(3)
    before = scipy.sparse.csr_matrix((random.random((400, 60)) < 0.15).astype(np.int32))
    popular = (np.arange(60) < 20) & (random.random((400, 60)) < 0.3) & (before.toarray() == 0)
    validation = [(before, scipy.sparse.csr_matrix(popular.astype(np.int32)))]
    training = ((before + validation[0][1]) > 0).astype(np.int32).tocsr()
    task = Task(training, None, validation, 5, 1, 1 << 40, {}, 300.0, lambda _, share: None)
    fit_ours(task)
    assert task.settings == dataclasses.asdict(Recommender().tune(training, validation=validation).settings)
    assert task.settings != dataclasses.asdict(Recommender().tune(training).settings)
