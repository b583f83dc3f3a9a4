"""Made-up people, and how long something takes: shared by the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse


def made_up_crowd(people: int = 10_000, items: int = 8_000, held: int = 50, seed: int = 0) -> Any:
    """Make people who hold about `held` items each, of falling popularity."""
    random = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, items + 1) ** 0.7
    chosen = random.choice(items, people * held, p=popularity / popularity.sum())
    crowd = scipy.sparse.csr_matrix((np.ones(len(chosen)), (np.arange(people).repeat(held), chosen)), (people, items))
    crowd.sum_duplicates()
    crowd.data[:] = 1
    return crowd


def timed(act: Callable[..., object], *given: object) -> float:
    """Return how many seconds `act` takes with what it is given."""
    began = time.perf_counter()
    act(*given)
    return time.perf_counter() - began
