"""The server of the recommender: one solved copy for each process, which follows the stored sum.

No answer comes from a model with a person who left. A few changed rows are followed at once, by their exact difference.
For more rows a thread makes the next model: from the arrays in memory and the difference, from another process's file,
or by solving. The old model answers meanwhile, unless a person in it left.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from assent.learn.candidates import FOLLOW_SHARE, Candidate, ModelCandidates, follow
from assent.learn.publisher import Publisher
from assent.learn.served_state import ServedState
from assent.store.topics import sums
from assent.terms.errors import Loading, StoreUnavailable

if TYPE_CHECKING:
    from assent.learn.model_files import ModelFolder
    from assent.models.recommender import AdditiveRecommender, SolvedModel
    from assent.store import Session, Store
    from assent.sums import Contribution, PairSum

_log = logging.getLogger("assent.learn")

#: So many changed rows are followed while a question waits: a few milliseconds.
ROWS_AT_ONCE: Final = 64


class ModelServer:
    """Keeps the solved model of one process; safe to use from several threads.

    | state | meaning | a question | leaves it by |
    |---|---|---|---|
    | empty | no model | waits for one | `_load` |
    | serving | the model has the newest version | is answered | a commit, here or in another process |
    | behind | the store has a newer version | follows a few rows, else begins to load | `_follow_at_once`, `_load` |
    | loading | a thread makes the newest model | the old one, unless a person in it left: then waits | `install` |
    | publishing | a thread writes a file and maps it | is answered as in the states above | `install` |
    """

    def __init__(self, store: Store, kind: AdditiveRecommender, folder: ModelFolder) -> None:
        """Start empty; the first question loads what the store holds.

        Files that a crash left behind are removed; raises `StoreUnavailable` when they cannot be.
        """
        self._store = store
        self._folder = folder
        self._name = kind.name
        self._state = ServedState(store, kind.name)
        self._candidates = ModelCandidates(store, folder, kind)
        self.publisher = Publisher(store, folder, self._state, self._candidates, kind.name)
        self._loading: Future[None] | None = None
        folder.tidy(self._stored_versions)

    # -- answering -----------------------------------------------------------------------------------------------

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> SolvedModel | None:
        """Return the model of the sum that `session` sees, None before the first training; no person who left is in it.

        Waits for a model that has to be made first, or raises `Loading` without `wait`. Raises `Corrupt` and
        `NotEnoughMemory` when it cannot be made. `version` is that of the stored sum, if the caller has read it.
        """
        if version is None:
            version = sums.version(session, self._name)
        state = self._state
        while True:
            with state.lock:
                if state.model is not None and version <= state.version:
                    return state.model
                head = sums.head(session, self._name)
                if head is None or head.columns == 0:
                    return None
                if state.model is not None and self._follow_at_once(session, head):
                    return state.model
                loading = self._begin_loading()
                if state.model is not None and head.last_left_version <= state.version:
                    return state.model
            if not wait:
                raise Loading("The model is being loaded.")
            loading.result()

    def sum(self) -> tuple[PairSum, int] | None:
        """Return a copy of the model's sum, and its version; None without a model."""
        state = self._state
        with state.lock:
            return None if state.model is None else (state.model.sum.copy(), state.version)

    def _follow_at_once(self, session: Session, head: sums.HeadRow) -> bool:
        """Follow a few changed rows by their exact difference; return False when there are more."""
        state = self._state
        model = state.model
        if model is None or model.columns != head.columns:
            return False
        # Arrays that no file has must follow in place, even by many rows, when a person left.
        alone = state.arrays is None and head.last_left_version > state.version
        most = head.columns // FOLLOW_SHARE if alone else ROWS_AT_ONCE
        if not follow(model, state.version, session, head, most):
            return False
        state.version = head.version
        state.note(head)
        self.publisher.publish_later()
        return True

    # -- this process's own changes ------------------------------------------------------------------------------

    def serve(self, solved: SolvedModel, version: int, left: int) -> None:
        """After the commit: answer from a newly solved model; `left` is the version at which a person last left."""
        candidate = self._candidates.of_model(solved, version)
        state = self._state
        with state.lock:
            state.left = max(state.left, left)
            if state.model is None or version > state.version:
                state.put(candidate)
        self._folder.retire(left)

    def forget(self, version: int, contribution: Contribution) -> None:
        """After the commit: subtract a contribution from the model, if it has version `version`, and retire files."""
        state = self._state
        with state.lock:
            state.left = max(state.left, version + 1)
            model = state.model
            if model is not None and state.version == version:
                model.remove(contribution)
                state.version = version + 1
        if model is not None:
            # The person's items no longer exist as a separate list in memory.
            model.sum.flush()
        self._retire(version + 1)

    def retire(self) -> int:
        """Remove every file with a person who left; return their number. Raises `StoreUnavailable`."""
        return self._retire(self._stored_versions()[1])

    def _retire(self, left: int) -> int:
        """Remove the files older than version `left`, at which a person left; return their number."""
        removed = self._folder.retire(left)
        self.publisher.publish_later()
        return removed

    def _stored_versions(self) -> tuple[int, int]:
        """Return the version of the stored sum, and the version at which a person last left it."""
        with self._store.read() as session:
            head = sums.head(session, self._name)
        return (0, 0) if head is None else (head.version, head.last_left_version)

    def publish(self) -> None:
        """Share the arrays of the newly solved model; the caller has the folder's `solving`."""
        self.publisher.publish()

    def close(self) -> None:
        """Begin no other file, and wait for the one that is being written, for seconds at most."""
        self.publisher.close()

    # -- loading -------------------------------------------------------------------------------------------------

    def _begin_loading(self) -> Future[None]:
        """Start a thread that makes the newest model, unless one runs already; return its future."""
        if self._loading is None or self._loading.done():
            self._loading = Future()
            threading.Thread(target=self._load, args=(self._loading,), name="assent-load", daemon=True).start()
        return self._loading

    def _load(self, loading: Future[None]) -> None:
        install = self._state.install
        try:
            if not install(self._without_solving):
                with self._folder.solving():
                    _ = install(self._without_solving) or install(self._candidates.solved)
        except BaseException as error:  # noqa: BLE001 - the waiting questions raise it
            if not isinstance(error, StoreUnavailable):
                _log.warning("The newest model cannot be made: %s", error)  # the old one may continue to answer
            loading.set_exception(error)
        else:
            loading.set_result(None)
            self.publisher.publish_later()

    def _without_solving(self) -> Candidate | None:
        """Return a model over the arrays in memory, or over another process's file; None where neither can follow."""
        with self._state.lock:
            arrays = self._state.arrays
        return self._candidates.of_arrays(arrays) or self._candidates.of_file(0)
