"""Candidates for the model that answers: over arrays in memory, over another process's file, or newly solved."""

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

#: A model follows at most one changed row in `FOLLOW_SHARE`, and at most `FOLLOW_ROWS`: past these, an exact low-rank
#: difference costs more than the alternatives.
FOLLOW_SHARE, FOLLOW_ROWS = 8, 512
#: Arrays go from file to file with the changes folded in while their residual is at most this.
FOLD_RESIDUAL: Final = 1e-3


@dataclass(frozen=True, slots=True)
class SharedArrays:
    """Read-only arrays, the version of the sum that they were solved from, and `in_file` when a file has them."""

    version: int
    snapshot: Snapshot
    in_file: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may answer, the version of its sum, and the arrays below it, if they are kept."""

    model: SolvedModel
    version: int
    arrays: SharedArrays | None


class ModelCandidates:
    """Makes models of the stored sum that do not answer yet."""

    def __init__(self, store: Store, folder: ModelFolder, kind: AdditiveRecommender) -> None:
        self._store = store
        self._folder = folder
        self._kind = kind

    def of_arrays(self, arrays: SharedArrays | None) -> Candidate | None:
        """Return a model over arrays that follows the sum; None without arrays, or when too many rows changed."""
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
        """Return a model over the newest file from version `least` on; a file that does not fit is refused."""
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
        """Solve the stored sum, None before a training; no read is open meanwhile, so side files can be emptied."""
        with self._store.read() as session:
            head = sums.head(session, self._kind.name)
            if head is None:
                return None
            total = read_sum(session, self._kind, head)
        return self.of_model(self._kind.solve(total), head.version)

    def of_model(self, model: SolvedModel, version: int) -> Candidate:
        """Return a solved model as a candidate; where models are shared, its arrays are frozen for a file."""
        if self._folder.path is None:
            return Candidate(model, version, None)
        return Candidate(model, version, SharedArrays(version, model.freeze(), in_file=False))

    def arrays_to_publish(self, arrays: SharedArrays) -> SharedArrays | None:
        """Return arrays of the sum's newest version: the given ones with changes folded in, or solved again."""
        made = self.of_arrays(arrays)
        if made is None or made.model.residual(made.version % made.model.columns) > FOLD_RESIDUAL:
            made = self.solved()
        return None if made is None else SharedArrays(made.version, made.model.freeze(), in_file=False)


def rows_max(head: sums.HeadRow) -> int:
    """Return the number of changed rows that a model follows by their exact difference."""
    return min(head.columns // FOLLOW_SHARE, FOLLOW_ROWS)


def follow(model: SolvedModel, version: int, session: Session, head: sums.HeadRow, most: int) -> bool:
    """Let a model follow to the version of `head`; return False past `most` changed rows, without a change."""
    if version >= head.version:
        return True
    if sums.count_after(session, head.model, version) > most:
        return False
    rows = {number: row for number, _, row in sums.rows_after(session, head.model, version)}
    model.grow(head.columns)
    return model.replace_rows(rows, counts_of(head), head.people, solve=False)
