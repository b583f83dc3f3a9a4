"""The publisher: it shares the arrays of the served model with other processes, by a file that all of them map."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from assent.store.topics import sums
from assent.terms.errors import AssentError, StoreUnavailable

if TYPE_CHECKING:
    from assent.learn.candidates import ModelCandidates
    from assent.learn.model_files import ModelFolder
    from assent.learn.served_state import ServedState
    from assent.store import Store

_log = logging.getLogger("assent.learn")

#: Past so many changes beside the shared arrays a new file is due.
PUBLISH_TERMS: Final = 128
#: The publisher rests this many times the duration of its last publication.
REST_FACTOR: Final = 4
#: Closing waits so long for a file that is being written.
CLOSING_SECONDS: Final = 5.0


class Publisher:
    """Publishes files in a thread of its own, while one is due."""

    def __init__(
        self, store: Store, folder: ModelFolder, state: ServedState, candidates: ModelCandidates, name: str
    ) -> None:
        """Publish the sum called `name`."""
        self._store = store
        self._folder = folder
        self._state = state
        self._candidates = candidates
        self._name = name
        #: The thread that publishes now, if any.
        self.thread: threading.Thread | None = None
        self._closed = threading.Event()

    def publish(self) -> bool:
        """Answer from the arrays of a file without any person who left; the caller has the folder's `solving`.

        Maps another process's file, or publishes one first. Returns False when that fails; the log names the cause.
        """
        try:
            return self._publish()
        except StoreUnavailable:  # closed meanwhile
            return False
        except (AssentError, MemoryError, OSError) as error:
            _log.warning("The model file cannot be made anew: %s", error)
            return False

    def _publish(self) -> bool:
        state, candidates = self._state, self._candidates
        with state.lock:
            arrays, left = state.arrays, state.left
        if arrays is None:
            return False
        least = arrays.version + arrays.in_file
        if state.install(lambda: candidates.of_file(least)):
            return True
        if arrays.in_file or arrays.version < left:
            arrays = candidates.arrays_to_publish(arrays)
            if arrays is None:
                return False
        version = arrays.version
        published = self._folder.publish(arrays.snapshot, version, self._last_left)
        return published and state.install(lambda: candidates.of_file(version))

    def _last_left(self) -> int:
        with self._store.read() as session:
            head = sums.head(session, self._name)
        return 0 if head is None else head.last_left_version

    def publish_later(self) -> None:
        """Start the thread that publishes, if a file is due and no thread runs."""
        with self._state.lock:
            if self.thread is None and self._due():
                self.thread = threading.Thread(target=self._publish_loop, name="assent-publish", daemon=True)
                self.thread.start()

    def _publish_loop(self) -> None:
        """Publish while a file is due, with rests in between."""
        state = self._state
        failed_left = -1
        while True:
            with state.lock:
                # Where it failed and no person left since, it would fail again.
                if not self._due() or state.left == failed_left:
                    self.thread = None
                    return
                left = state.left
            began = time.monotonic()
            with self._folder.solving():
                if self._due() and not self.publish():
                    failed_left = left
            self._closed.wait(REST_FACTOR * (time.monotonic() - began))

    def _due(self) -> bool:
        """Tell whether a file is due: none has these arrays, a person left, a training ended, or many changes came."""
        state = self._state
        with state.lock:
            arrays, model = state.arrays, state.model
            if arrays is None or model is None or self._closed.is_set():
                return False
            outdated = arrays.version < max(state.left, state.trained)
            return not arrays.in_file or outdated or model.terms > PUBLISH_TERMS

    def close(self) -> None:
        """Begin no other file, and wait for the one that is being written: its folder may be removed next."""
        self._closed.set()
        thread = self.thread
        if thread is not None:
            thread.join(CLOSING_SECONDS)
