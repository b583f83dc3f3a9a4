"""The one solved copy that a process answers from: it follows the stored sum, and shares its arrays by a file.

Whoever asks gets a model without anybody who left. A few changed rows are taken in at once, as their exact difference.
Anything wider is done beside the answers: from the arrays in memory and the difference, from the file that another
process published, or by solving; the model before it answers meanwhile, unless somebody in it left.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from assent.learn.snapshot import MODEL, last_leaving, load_sum
from assent.models.recommender import Recommender
from assent.store.topics import sums
from assent.terms.errors import AssentError, Loading, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from assent.learn.publishing import ModelFolder
    from assent.models.recommender.files import Snapshot
    from assent.store import Session, Store
    from assent.sums import Contribution, PairSum

_log = logging.getLogger("assent.learn")

#: So many changed rows are taken in while somebody waits for the answer: a few milliseconds.
ROWS_AT_ONCE: Final = 64
#: Past one changed row in this many, or so many rows, another way is cheaper than an exact low-rank difference.
FOLLOW_SHARE, FOLLOW_ROWS_MAX = 8, 512
#: With so many changes beside the shared arrays it is time for a file that has them.
TERMS_MAX: Final = 128
#: A new file is made at once, and the next no sooner than after so many times as long as the last one took.
REST_FACTOR: Final = 4
#: How long closing waits for a file that is being written.
CLOSING_SECONDS: Final = 5.0
#: Arrays are handed on from file to file with the changes folded in, until they are so far from inverting the sum.
RESIDUAL_MAX: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Base:
    """Arrays that nobody writes to, the version of the sum that they were solved from, and whether a file has them."""

    version: int
    snapshot: Snapshot
    shared: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A model that may answer, the version of the sum that it stands for, and the arrays it was made over, if kept."""

    model: Recommender
    version: int
    base: Base | None


class Served:
    """Keeps the solved model of one process; safe to use from several threads."""

    def __init__(self, store: Store, folder: ModelFolder) -> None:
        """Start empty; the first question loads what the store holds."""
        #: Held while a model is used or changed, for moments only; never wait for a model while holding it.
        self.lock = threading.RLock()
        self._store = store
        self._folder = folder
        self._model: Recommender | None = None
        self._version = 0
        self._base: Base | None = None
        self._left = 0
        self._trained = 0
        self._loading: Future[None] | None = None
        self._sharing: threading.Thread | None = None
        self._closed = threading.Event()

    # -- answering -----------------------------------------------------------------------------------------------

    def model(self, session: Session, version: int | None = None, *, wait: bool = True) -> Recommender | None:
        """Return the model for what `session` sees, or None before the first training; nobody who left is in it.

        Where it has to be made first this waits for it, or raises `Loading` without `wait`; and what cannot be made
        raises here: `Corrupt`, `NotEnoughMemory`. `version` is that of the stored sum, if it is known already.
        """
        if version is None:
            version = sums.version(session, MODEL)
        while True:
            with self.lock:
                if self._model is not None and version <= self._version:
                    return self._model
                head = sums.head(session, MODEL)
                if head is None or head.columns == 0:
                    return None
                if self._model is not None and self._follow_at_once(session, head):
                    return self._model
                loading = self._begin_loading()
                if self._model is not None and last_leaving(head) <= self._version:
                    return self._model
            if not wait:
                message = "The model is being loaded."
                raise Loading(message)
            loading.result()

    def sum(self) -> tuple[PairSum, int] | None:
        """Return a copy of the sum that the model stands for, and its version."""
        with self.lock:
            return None if self._model is None else (self._model.sum.copy(), self._version)

    def _follow_at_once(self, session: Session, head: sums.HeadRow) -> bool:
        """Take in a few changed rows as their exact difference; False when there are more."""
        model = self._model
        if model is None or model.columns != head.columns:
            return False
        # Arrays that nothing else has must follow in place however wide it is, when somebody left.
        alone = self._base is None and last_leaving(head) > self._version
        most = head.columns // FOLLOW_SHARE if alone else ROWS_AT_ONCE
        if not _follow(model, self._version, session, head, most):
            return False
        self._version = head.version
        self._note(head)
        self._share_later()
        return True

    def _note(self, head: sums.HeadRow) -> None:
        """Remember when somebody last left, and when a training last ended: each asks for other arrays."""
        self._left = max(self._left, last_leaving(head))
        if last_leaving(head) < head.version:
            self._trained = max(self._trained, head.version)

    # -- what this process changed itself ------------------------------------------------------------------------

    def forget(self, version: int, contribution: Contribution) -> None:
        """After the commit: take a contribution out of the model, if it stood right before it, and out of the files."""
        with self.lock:
            self._left = max(self._left, version + 1)
            model = self._model
            if model is not None and self._version == version:
                model.remove(contribution)
                self._version = version + 1
        if model is not None:
            # What they held stands nowhere by itself any more, not even in memory.
            model.sum.settle()
        self.retire(version + 1)

    def retire(self, left: int) -> int:
        """Remove the files that somebody is in who left at version `left` or before; return how many there were."""
        removed = self._folder.retire(left)
        self._share_later()
        return removed

    def take(self, model: Recommender, version: int, left: int) -> None:
        """After the commit: answer from a model that was solved just now; `left` is when somebody last left."""
        made = self._made(model, version)
        with self.lock:
            self._left = max(self._left, left)
            if self._model is None or version > self._version:
                self._model, self._version, self._base = made.model, made.version, made.base
        self._folder.retire(left)

    # -- making a model ------------------------------------------------------------------------------------------

    def _begin_loading(self) -> Future[None]:
        """Have the newest model made beside the answers, unless that is under way already; see the future."""
        if self._loading is None or self._loading.done():
            self._loading = Future()
            threading.Thread(target=self._load, args=(self._loading,), name="assent-load", daemon=True).start()
        return self._loading

    def _load(self, loading: Future[None]) -> None:
        try:
            if not self._put(self._quickly):
                with self._folder.solving():
                    _ = self._put(self._quickly) or self._put(self._solved)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            if not isinstance(error, StoreUnavailable):
                _log.warning("The newest model cannot be made: %s", error)  # the one before it may go on answering
            loading.set_exception(error)
        else:
            loading.set_result(None)
            self._share_later()

    def _put(self, make: Callable[[], Made | None]) -> bool:
        """Make a model, let it follow whatever happened meanwhile, and answer from it; False where it cannot be."""
        made = make()
        while made is not None:
            with self._store.read() as session:
                head = sums.head(session, MODEL)
                if head is None or not _follow(made.model, made.version, session, head, _rows_max(head)):
                    return False
            made = replace(made, version=head.version)
            with self.lock:
                self._note(head)
                if self._model is None or made.version >= self._version:
                    self._model, self._version, self._base = made.model, made.version, made.base
                    return True
        return False

    def _quickly(self) -> Made | None:
        """Make a model without solving: from the arrays in memory, or from the file of another process."""
        return self._from_base() or self._from_file(0)

    def _from_base(self) -> Made | None:
        with self.lock:
            base = self._base
        if base is None:
            return None
        with self._store.read() as session:
            head = sums.head(session, MODEL)
            if head is None or sums.count_after(session, MODEL, base.version) > _rows_max(head):
                return None
            model = Recommender.of_snapshot(base.snapshot)
            if not _follow(model, base.version, session, head, _rows_max(head)):
                return None
        return Made(model, head.version, base)

    def _from_file(self, least: int) -> Made | None:
        """Map the newest file from version `least` on and let it follow; one that does not fit the store is refused."""
        with self._store.read() as session:
            head = sums.head(session, MODEL)
        found = None if head is None else self._folder.newest(max(least, last_leaving(head)), head.version)
        if found is None:
            return None
        version, snapshot = found
        model = Recommender.of_snapshot(snapshot)
        if model.settings != Recommender().settings:
            self._folder.refuse(version, "It was solved with other settings.")
            return None
        with self._store.read() as session:
            head = sums.head(session, MODEL)
            if head is None or not _follow(model, version, session, head, _rows_max(head)):
                return None
        if model.digest() != head.digest:
            self._folder.refuse(version, "It was made from another sum.")
            return None
        return Made(model, head.version, Base(version, snapshot, shared=True))

    def _solved(self) -> Made | None:
        """Solve from the stored sum; nothing is read meanwhile, so that side files can be emptied."""
        with self._store.read() as session:
            head = sums.head(session, MODEL)
            if head is None:
                return None
            total = load_sum(session, head)
        return self._made(Recommender.of_sum(total), head.version)

    def _made(self, model: Recommender, version: int) -> Made:
        """Where models are shared, keep the arrays as they are until a file has them."""
        if self._folder.path is None:
            return Made(model, version, None)
        return Made(model, version, Base(version, model.freeze(), shared=False))

    # -- sharing its arrays --------------------------------------------------------------------------------------

    def share(self) -> bool:
        """Answer from arrays that a file has, in which nobody is who left; for whoever holds the folder's `solving`.

        Maps what another process published, or publishes first. False when that cannot be, which the log is told.
        """
        try:
            return self._share()
        except StoreUnavailable:  # closed meanwhile
            return False
        except (AssentError, MemoryError, OSError) as error:
            _log.warning("The model file cannot be made anew: %s", error)
            return False

    def _share(self) -> bool:
        with self.lock:
            base, left = self._base, self._left
        if base is None:
            return False
        least = base.version + base.shared
        if self._put(lambda: self._from_file(least)):
            return True
        if base.shared or base.version < left:
            made = self._from_base()
            if made is None or made.model.residual(made.version % made.model.columns) > RESIDUAL_MAX:
                made = self._solved()
            if made is None:
                return False
            base = Base(made.version, made.model.freeze(), shared=False)
        published = self._folder.publish(base.snapshot, base.version, self._last_left)
        return published and self._put(lambda: self._from_file(base.version))

    def _share_later(self) -> None:
        """Do the same beside the answers, unless that is under way."""
        with self.lock:
            if self._sharing is None and self._due():
                self._sharing = threading.Thread(target=self._share_on, name="assent-share", daemon=True)
                self._sharing.start()

    def _share_on(self) -> None:
        """Share for as long as there is reason to, resting in between."""
        failed_left = -1
        while True:
            with self.lock:
                # Where it failed although nobody left meanwhile, it would fail again.
                if not self._due() or self._left == failed_left:
                    self._sharing = None
                    return
                left = self._left
            began = time.monotonic()
            with self._folder.solving():
                if self._due() and not self.share():
                    failed_left = left
            self._closed.wait(REST_FACTOR * (time.monotonic() - began))

    def _due(self) -> bool:
        """Tell whether other arrays should follow: no file has these, somebody left, a training ended, much came."""
        with self.lock:
            base, model = self._base, self._model
            if base is None or model is None or self._closed.is_set():
                return False
            outdated = base.version < max(self._left, self._trained)
            return not base.shared or outdated or model.terms > TERMS_MAX

    def close(self) -> None:
        """Begin no other file, and wait a while for one that is being written: its folder may be taken away next."""
        self._closed.set()
        sharing = self._sharing
        if sharing is not None:
            sharing.join(CLOSING_SECONDS)

    def _last_left(self) -> int:
        with self._store.read() as session:
            head = sums.head(session, MODEL)
        return 0 if head is None else last_leaving(head)


def _rows_max(head: sums.HeadRow) -> int:
    return min(head.columns // FOLLOW_SHARE, FOLLOW_ROWS_MAX)


def _follow(model: Recommender, version: int, session: Session, head: sums.HeadRow, rows_max: int) -> bool:
    """Let a model follow from its version to that of `head`; False, having done nothing, when too many rows changed."""
    if version >= head.version:
        return True
    if sums.count_after(session, MODEL, version) > rows_max:
        return False
    rows = {item: row for item, _, row in sums.rows_after(session, MODEL, version)}
    model.grow(head.columns)
    return model.replace_rows(rows, np.frombuffer(head.counts, dtype="<i8"), head.people, solve=False)
