"""The state of a model server: answering, loading and publishing share it under one lock."""

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
    """The served model, the version of its sum, and the arrays below it."""

    def __init__(self, store: Store, name: str) -> None:
        """Start without a model of the sum called `name`."""
        self._store = store
        self._name = name
        #: Taken while a model is used or changed, for moments only; never wait for a model under it.
        self.lock = threading.RLock()
        self.model: SolvedModel | None = None
        self.version = 0
        #: None where no files are made: then only the model has its arrays.
        self.arrays: SharedArrays | None = None
        #: The version at which a person last left the sum, and the one at which a training last ended.
        self.left = self.trained = 0

    def note(self, head: sums.HeadRow) -> None:
        """Keep the versions of the last leaving and the last training: each makes other arrays due."""
        self.left = max(self.left, head.last_left_version)
        if head.last_left_version < head.version:
            self.trained = max(self.trained, head.version)

    def put(self, candidate: Candidate) -> None:
        """Answer from a candidate from now on; the caller has the lock."""
        self.model, self.version, self.arrays = candidate.model, candidate.version, candidate.arrays

    def install(self, make: Callable[[], Candidate | None]) -> bool:
        """Make a model, let it follow the changes since, and answer from it; return False where it cannot follow."""
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
