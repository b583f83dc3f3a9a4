"""What one process answers from at a moment, held under one lock by whoever answers, loads and publishes."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from assent.learn.candidates import follow, rows_max
from assent.store.topics import sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.learn.candidates import Candidate, SharedArrays
    from assent.models.recommender import SolvedModel
    from assent.store import Store


class ServedState:
    """The model that answers, the version of the sum it stands for, and the arrays below it."""

    def __init__(self, store: Store, name: str) -> None:
        """Hold nothing yet of the sum called `name`."""
        self._store = store
        self._name = name
        #: Held while a model is used or changed, for moments only; never wait for a model while holding it.
        self.lock = threading.RLock()
        self.model: SolvedModel | None = None
        self.version = 0
        #: None where no file is ever made: the model alone holds its arrays.
        self.arrays: SharedArrays | None = None
        #: The version at which somebody last left the sum, and the one at which a training last ended.
        self.left = self.trained = 0

    def note(self, head: sums.HeadRow) -> None:
        """Remember when somebody last left, and when a training last ended: each asks for other arrays."""
        self.left = max(self.left, head.last_left_version)
        if head.last_left_version < head.version:
            self.trained = max(self.trained, head.version)

    def put(self, candidate: Candidate) -> None:
        """Answer from a candidate from now on; hold the lock."""
        self.model, self.version, self.arrays = candidate.model, candidate.version, candidate.arrays

    def install(self, make: Callable[[], Candidate | None]) -> bool:
        """Make a model, let it follow whatever happened meanwhile, and answer from it; False where it cannot be."""
        made = make()
        while made is not None:
            with self._store.read() as session:
                head = sums.head(session, self._name)
                if head is None or not follow(made.model, made.version, session, head, rows_max(head)):
                    return False
            made = replace(made, version=head.version)
            with self.lock:
                self.note(head)
                if self.model is None or made.version >= self.version:
                    self.put(made)
                    return True
        return False
