"""The one solved copy of the recommender that a process answers from: it follows the stored sum.

Whoever asks gets a model without anybody who left. A few changed rows are taken in at once, as their exact difference.
Anything wider is done beside the answers: from the arrays in memory and the difference, from the file that another
process published, or by solving; the model before it answers meanwhile, unless somebody in it left.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from assent.learn.candidates import FOLLOW_SHARE, Candidate, Candidates, follow
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

#: So many changed rows are taken in while somebody waits for the answer: a few milliseconds.
ROWS_AT_ONCE: Final = 64


class ModelServer:
    """Keeps the solved model of one process; safe to use from several threads.

    | state | what is true | a question | leaves it by |
    |---|---|---|---|
    | empty | no model | waits for one | `_load` |
    | serving | the model stands for the newest version | is answered | a commit, here or in another process |
    | behind | the store has a newer version | takes in a few rows, else begins to load | `_follow_at_once`, `_load` |
    | loading | a thread makes the newest model | the old one, unless somebody in it left: then waits | `install` |
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
        self._candidates = Candidates(store, folder, kind)
        self.publisher = Publisher(store, folder, self._state, self._candidates, kind.name)
        self._loading: Future[None] | None = None
        folder.tidy(self._stored_versions)

    @property
    def lock(self) -> threading.RLock:
        """The lock to hold while several questions to the model belong together; never wait for a model under it."""
        return self._state.lock

    # -- answering -----------------------------------------------------------------------------------------------

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> SolvedModel | None:
        """Return the model for what `session` sees, or None before the first training; nobody who left is in it.

        Where it has to be made first this waits for it, or raises `Loading` without `wait`; and what cannot be made
        raises here: `Corrupt`, `NotEnoughMemory`. `version` is that of the stored sum, if it is known already.
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
        """Return a copy of the sum that the model stands for, and its version."""
        state = self._state
        with state.lock:
            return None if state.model is None else (state.model.sum.copy(), state.version)

    def _follow_at_once(self, session: Session, head: sums.HeadRow) -> bool:
        """Take in a few changed rows as their exact difference; False when there are more."""
        state = self._state
        model = state.model
        if model is None or model.columns != head.columns:
            return False
        # Arrays that nothing else has must follow in place however wide it is, when somebody left.
        alone = state.arrays is None and head.last_left_version > state.version
        most = head.columns // FOLLOW_SHARE if alone else ROWS_AT_ONCE
        if not follow(model, state.version, session, head, most):
            return False
        state.version = head.version
        state.note(head)
        self.publisher.publish_later()
        return True

    # -- what this process changed itself ------------------------------------------------------------------------

    def serve(self, solved: SolvedModel, version: int, left: int) -> None:
        """After the commit: answer from a model that was solved just now; `left` is when somebody last left."""
        candidate = self._candidates.of_model(solved, version)
        state = self._state
        with state.lock:
            state.left = max(state.left, left)
            if state.model is None or version > state.version:
                state.put(candidate)
        self._folder.retire(left)

    def forget(self, version: int, contribution: Contribution) -> None:
        """After the commit: take a contribution out of the model, if it stood right before it, and out of the files."""
        state = self._state
        with state.lock:
            state.left = max(state.left, version + 1)
            model = state.model
            if model is not None and state.version == version:
                model.remove(contribution)
                state.version = version + 1
        if model is not None:
            # What they held stands nowhere by itself any more, not even in memory.
            model.sum.settle()
        self._retire(version + 1)

    def retire(self) -> int:
        """Remove every file that somebody who left is in; return how many there were. Raises `StoreUnavailable`."""
        return self._retire(self._stored_versions()[1])

    def _retire(self, left: int) -> int:
        """Remove the files that somebody is in who left at version `left` or before; return how many there were."""
        removed = self._folder.retire(left)
        self.publisher.publish_later()
        return removed

    def _stored_versions(self) -> tuple[int, int]:
        """Return the version of the stored sum, and the version at which somebody last left it."""
        with self._store.read() as session:
            head = sums.head(session, self._name)
        return (0, 0) if head is None else (head.version, head.last_left_version)

    def publish(self) -> None:
        """Share the arrays of the model that was solved just now, for whoever holds the folder's `solving`."""
        self.publisher.publish()

    def close(self) -> None:
        """Begin no other file, and wait a while for one that is being written."""
        self.publisher.close()

    # -- loading -------------------------------------------------------------------------------------------------

    def _begin_loading(self) -> Future[None]:
        """Have the newest model made beside the answers, unless that is under way already; see the future."""
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
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            if not isinstance(error, StoreUnavailable):
                _log.warning("The newest model cannot be made: %s", error)  # the one before it may go on answering
            loading.set_exception(error)
        else:
            loading.set_result(None)
            self.publisher.publish_later()

    def _without_solving(self) -> Candidate | None:
        """Make a model from the arrays in memory, or from the file of another process."""
        with self._state.lock:
            arrays = self._state.arrays
        return self._candidates.of_arrays(arrays) or self._candidates.of_file(0)
