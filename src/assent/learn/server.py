"""Servers of solved models: their protocol for the keeper, and the simplest one, which solves the sum in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from assent.learn.stored_sums import read_sum
from assent.store.topics import sums

if TYPE_CHECKING:
    from assent.learn.model_files import ModelFolder
    from assent.models.additive import AdditiveModel
    from assent.store import Session, Store


class Server(Protocol):
    """Answers from the solved sum of one model in one process, and never from one with a person who left."""

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Any | None:
        """Return the solved model of the sum that `session` sees, or None before the first training.

        Raises `Loading` without `wait` instead of waiting. `version`: the sum's, if the caller has read it.
        """
        ...

    def sum(self) -> tuple[Any, int] | None:
        """Return a copy of the sum that is answered from, and its version; None where there is none in memory."""
        ...

    def serve(self, solved: Any, version: int, left: int) -> None:
        """After the commit: answer from a newly solved model; `left` is the version at which a person last left."""
        ...

    def forget(self, version: int, contribution: Any) -> None:
        """After the commit that subtracted a contribution from the sum of `version`: forget it in models and files."""
        ...

    def retire(self) -> int:
        """Remove every model file with a person who left; return the number of files.

        Raises `StoreUnavailable` when one cannot be removed.
        """
        ...

    def publish(self) -> None:
        """Share the solved model with other processes, after a training and under the folder's `solving`."""
        ...

    def close(self) -> None:
        """Begin no other work."""
        ...


class SumServer:
    """Serves a small sum; safe to use from several threads."""

    def __init__(self, store: Store, model: AdditiveModel[Any, Any, Any], folder: ModelFolder) -> None:  # noqa: ARG002 - has no files
        """Start empty; the first question reads the stored sum."""
        self._model = model
        self._lock = threading.Lock()
        self._solved: Any = None
        self._version = 0

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Any | None:  # noqa: ARG002 - is quick
        """Return the solved model of the sum that `session` sees, or None before the first training."""
        if version is None:
            version = sums.version(session, self._model.name)
        with self._lock:
            if self._solved is None or version > self._version:
                head = sums.head(session, self._model.name)
                if head is None:
                    return None
                self._solved = self._model.solve(read_sum(session, self._model, head))
                self._version = head.version
            return self._solved

    def sum(self) -> tuple[Any, int] | None:
        """Return a copy of the sum that is answered from, and its version; None where there is none in memory."""
        with self._lock:
            return None if self._solved is None else (self._solved.sum.copy(), self._version)

    def serve(self, solved: Any, version: int, left: int) -> None:  # noqa: ARG002 - newer versions are without them
        """After the commit: answer from a newly solved model."""
        with self._lock:
            if version > self._version:
                self._solved, self._version = solved, version

    def forget(self, version: int, contribution: Any) -> None:  # noqa: ARG002 - it is read anew
        """After the commit: drop the sum with the person; the next question reads the one without."""
        with self._lock:
            if self._version <= version:
                self._solved = None

    def retire(self) -> int:
        """Remove nothing: there are no files."""
        return 0

    def publish(self) -> None:
        """Share nothing: each process solves for itself."""

    def close(self) -> None:
        """Do nothing: no work is running."""
