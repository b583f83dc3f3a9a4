"""Models that may answer next: over arrays in memory, over a file that another process published, or solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assent.learn.stored_sums import counts_of, read_sum
from assent.models.recommender import SolvedModel
from assent.store.topics import sums

if TYPE_CHECKING:
    from assent.learn.model_files import ModelFolder
    from assent.models.recommender import AdditiveRecommender
    from assent.models.recommender.files import Snapshot
    from assent.store import Session, Store

#: Past one changed row in this many, or so many rows, another way is cheaper than an exact low-rank difference.
FOLLOW_SHARE, FOLLOW_ROWS_MAX = 8, 512
#: Arrays are handed on from file to file with the changes folded in, until they are so far from inverting the sum.
RESIDUAL_MAX: Final = 1e-3


@dataclass(frozen=True, slots=True)
class SharedArrays:
    """Arrays that nobody writes to, the version of the sum that they were solved from, and whether a file has them."""

    version: int
    snapshot: Snapshot
    in_file: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may answer, the version of the sum that it stands for, and the arrays it was made over, if kept."""

    model: SolvedModel
    version: int
    arrays: SharedArrays | None


class Candidates:
    """Makes models of the stored sum, none of which anybody answers from yet."""

    def __init__(self, store: Store, folder: ModelFolder, kind: AdditiveRecommender) -> None:
        """Hold the store, the files, and what solves."""
        self._store = store
        self._folder = folder
        self._kind = kind

    def of_arrays(self, arrays: SharedArrays | None) -> Candidate | None:
        """Let a model over arrays follow the sum; None without arrays, or where too much changed since."""
        if arrays is None:
            return None
        with self._store.read() as session:
            head = sums.head(session, self._kind.name)
            if head is None or sums.count_after(session, head.model, arrays.version) > rows_max(head):
                return None
            model = SolvedModel.of_snapshot(arrays.snapshot)
            if not follow(model, arrays.version, session, head, rows_max(head)):
                return None
        return Candidate(model, head.version, arrays)

    def of_file(self, least: int) -> Candidate | None:
        """Map the newest file from version `least` on and let it follow; one that does not fit the store is refused."""
        with self._store.read() as session:
            head = sums.head(session, self._kind.name)
        found = None if head is None else self._folder.newest(max(least, head.last_left_version), head.version)
        if found is None:
            return None
        version, snapshot = found
        model = SolvedModel.of_snapshot(snapshot)
        if model.settings != self._kind.settings:
            self._folder.refuse(version, "It was solved with other settings.")
            return None
        with self._store.read() as session:
            head = sums.head(session, self._kind.name)
            if head is None or not follow(model, version, session, head, rows_max(head)):
                return None
        if model.digest() != head.digest:
            self._folder.refuse(version, "It was made from another sum.")
            return None
        return Candidate(model, head.version, SharedArrays(version, snapshot, in_file=True))

    def solved(self) -> Candidate | None:
        """Solve from the stored sum; nothing is read meanwhile, so that side files can be emptied."""
        with self._store.read() as session:
            head = sums.head(session, self._kind.name)
            if head is None:
                return None
            total = read_sum(session, self._kind, head)
        return self.of_model(self._kind.solve(total), head.version)

    def of_model(self, model: SolvedModel, version: int) -> Candidate:
        """Take a solved model; where models are shared, its arrays are kept as they are until a file has them."""
        if self._folder.path is None:
            return Candidate(model, version, None)
        return Candidate(model, version, SharedArrays(version, model.freeze(), in_file=False))

    def arrays_to_publish(self, arrays: SharedArrays) -> SharedArrays | None:
        """Return arrays that stand for the sum as it is: the given ones with changes folded in, or solved anew."""
        made = self.of_arrays(arrays)
        if made is None or made.model.residual(made.version % made.model.columns) > RESIDUAL_MAX:
            made = self.solved()
        return None if made is None else SharedArrays(made.version, made.model.freeze(), in_file=False)


def rows_max(head: sums.HeadRow) -> int:
    """Return how many changed rows a model follows by their exact difference."""
    return min(head.columns // FOLLOW_SHARE, FOLLOW_ROWS_MAX)


def follow(model: SolvedModel, version: int, session: Session, head: sums.HeadRow, most: int) -> bool:
    """Let a model follow from its version to that of `head`; False, having done nothing, past `most` changed rows."""
    if version >= head.version:
        return True
    if sums.count_after(session, head.model, version) > most:
        return False
    rows = {number: row for number, _, row in sums.rows_after(session, head.model, version)}
    model.grow(head.columns)
    return model.replace_rows(rows, counts_of(head), head.people, solve=False)
