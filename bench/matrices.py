"""Made-up people and a stopwatch, shared by the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse


def made_up_crowd(people: int = 10_000, items: int = 8_000, items_each: int = 50, seed: int = 0) -> Any:
    """Return made-up people, CSR float64 [people, items], with about `items_each` items each, of falling popularity."""
    random = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, items + 1) ** 0.7
    chosen = random.choice(items, people * items_each, p=popularity / popularity.sum())
    crowd = scipy.sparse.csr_matrix(
        (np.ones(len(chosen)), (np.arange(people).repeat(items_each), chosen)), (people, items)
    )
    crowd.sum_duplicates()
    crowd.data[:] = 1
    return crowd


def timed(act: Callable[..., object], *given: object) -> float:
    """Return the seconds that `act` takes with these arguments."""
    began = time.perf_counter()
    act(*given)
    return time.perf_counter() - began
