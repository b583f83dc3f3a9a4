"""What the keeper asks of whoever answers from a sum, and the plainest one: it solves the stored sum in memory."""

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
    """Answers from the solved sum of one model in one process, and never from one that somebody who left is in."""

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Any | None:
        """Return what is solved from the sum that `session` sees, or None before the first training.

        Raises `Loading` without `wait` where it has to be waited for. `version`: the sum's, if it is known already.
        """
        ...

    def sum(self) -> tuple[Any, int] | None:
        """Return a copy of the sum that is answered from, and its version; None where there is none in memory."""
        ...

    def serve(self, solved: Any, version: int, left: int) -> None:
        """After the commit: answer from what was solved just now; `left` is the version at which somebody last left."""
        ...

    def forget(self, version: int, contribution: Any) -> None:
        """After the commit that took a contribution out of the sum of `version`: take it out of everything else."""
        ...

    def retire(self) -> int:
        """Remove whatever somebody who left is in outside the store; return how much there was.

        Raises `StoreUnavailable` when it cannot be removed.
        """
        ...

    def publish(self) -> None:
        """After a training, while its models are still waited for: share what was solved with other processes."""
        ...

    def close(self) -> None:
        """Begin nothing more."""
        ...


class SumServer:
    """Solves a sum that is small; safe to use from several threads."""

    def __init__(self, store: Store, model: AdditiveModel[Any, Any, Any], folder: ModelFolder) -> None:  # noqa: ARG002 - has no files
        """Start empty; the first question reads what the store holds."""
        self._model = model
        self._lock = threading.Lock()
        self._solved: Any = None
        self._version = 0

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Any | None:  # noqa: ARG002 - is quick
        """Return what is solved from the sum that `session` sees, or None before the first training."""
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
        """After the commit: answer from what was solved just now."""
        with self._lock:
            if version > self._version:
                self._solved, self._version = solved, version

    def forget(self, version: int, contribution: Any) -> None:  # noqa: ARG002 - it is read anew
        """After the commit: let go of a sum that the person is in; the next question reads the one without them."""
        with self._lock:
            if self._version <= version:
                self._solved = None

    def retire(self) -> int:
        """Remove nothing: there are no files."""
        return 0

    def publish(self) -> None:
        """Share nothing: whoever asks solves for themself."""

    def close(self) -> None:
        """Let everything be: nothing is under way."""
