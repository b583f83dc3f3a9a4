"""Lists of suggestions, made from scores and some people at a time."""

import numpy as np
import scipy.sparse

from assent.bench.lists import Task, best_of, in_blocks


def test_many_people_are_answered_in_blocks_and_told_of():
    """However many are answered at once, everybody gets the list they would get alone, and the share done is told."""
    training = scipy.sparse.csr_matrix(np.eye(7, dtype=np.int32))
    shares = []
    task = Task(training, None, (), 3, 1, 1 << 40, {}, None, lambda _, share: shares.append(share))
    lists = in_blocks(task, 3, lambda rows: rows[:, None] * [1, 2, 3])
    assert lists(np.arange(7)).tolist() == [[row, 2 * row, 3 * row] for row in range(7)]
    assert shares == [0.0, 3 / 7, 6 / 7]


def test_the_best_are_those_not_had_the_first_of_equals_first():
    """What a person holds is never suggested, and places that cannot be filled are -1."""
    scores = np.array([[3.0, 1.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    training = scipy.sparse.csr_matrix(np.array([[1, 0, 0, 0], [1, 1, 1, 0]]))
    assert best_of(scores, training, 5).tolist() == [[2, 1, 3, -1, -1], [3, -1, -1, -1, -1]]
