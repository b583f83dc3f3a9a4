"""A second, small additive model for tests: how often people did what with goods of each category."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.models.additive import AdditiveModel, Facts, actions_of
from assent.terms.errors import Corrupt, NotLearned
from assent.terms.events import ACTION_BY_CODE

#: A row for each kind of action.
ACTIONS = sorted(ACTION_BY_CODE)


@dataclass(frozen=True)
class Acts:
    """The counts of one person's actions in each category: (action's row, category, times), sorted."""

    counted: tuple[tuple[int, str, int], ...]

    @property
    def rows(self) -> NDArray[np.int32]:
        """The rows of its actions, int32 [k] ascending."""
        return np.unique(np.array([row for row, _, _ in self.counted], np.int32))

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(self.counted).encode()


class ActionSum:
    """Counts of acts by action and category; each row is the JSON of one action's categories."""

    def __init__(self, columns: int) -> None:
        """Make the sum over nobody."""
        self.columns = columns
        self.people = 0
        self.rows = len(ACTIONS)
        self.cells: Counter[tuple[int, str]] = Counter()

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of actions of each kind, int64 [rows]."""
        return np.array([sum(self.row(row).values()) for row in range(self.rows)], np.int64)

    def row(self, row: int) -> dict[str, int]:
        """Return the acts of one kind, by category."""
        return {category: count for (place, category), count in sorted(self.cells.items()) if place == row}

    def add(self, acts: Acts) -> None:
        """Add one person."""
        self.cells.update({(row, category): times for row, category, times in acts.counted})
        self.people += 1

    def remove(self, acts: Acts) -> None:
        """Take one person out again."""
        if self.people < 1 or any(self.cells[row, category] < times for row, category, times in acts.counted):
            message = "They are not in the sum."
            raise NotLearned(message)
        self.cells.subtract({(row, category): times for row, category, times in acts.counted})
        self.cells = +self.cells
        self.people -= 1

    def merge(self, other: ActionSum) -> None:
        """Add another sum."""
        self.cells.update(other.cells)
        self.people += other.people

    def grow(self, columns: int) -> None:
        """Span more items."""
        self.columns = columns

    def copy(self) -> ActionSum:
        """Return an independent sum."""
        twin = ActionSum(self.columns)
        twin.people, twin.cells = self.people, self.cells.copy()
        return twin

    def flush(self) -> None:
        """Nobody is kept aside."""

    def digest(self) -> str:
        """Return the SHA-256 of everything it says."""
        rows = [self.row(row) for row in range(self.rows)]
        return hashlib.sha256(json.dumps([self.columns, self.people, rows]).encode()).hexdigest()

    def row_bytes(self, row: int) -> bytes:
        """Return one row as JSON."""
        return json.dumps(self.row(row)).encode()

    def replace_rows(self, rows: Mapping[int, bytes], counts: NDArray[np.int64], people: int) -> None:
        """Take over stored rows."""
        fresh = self.copy()
        for row, stored in rows.items():
            told = {(row, category): count for category, count in json.loads(stored).items()}
            fresh.cells = Counter({place: count for place, count in fresh.cells.items() if place[0] != row} | told)
        if not np.array_equal(fresh.counts, counts):
            message = "Rows and counts do not belong together."
            raise Corrupt(message)
        self.cells, self.people = fresh.cells, people


class SolvedActions:
    """Which share of everybody's acts are of each kind a person did."""

    def __init__(self, total: ActionSum) -> None:
        """Solve a sum."""
        self.sum = total
        self.shares = total.counts / max(int(total.counts.sum()), 1)

    def parts_of(self, history: NDArray[np.void]) -> NDArray[np.float64]:
        """Return what each act of a history adds to the one answer."""
        return self.shares[np.searchsorted(ACTIONS, actions_of(history))][:, None]

    def scores_of(self, history: NDArray[np.void]) -> NDArray[np.float64]:
        """Return one number: how usual the acts of a history are."""
        return np.asarray(self.parts_of(history).sum(axis=0))

    def save(self, path: Path) -> None:
        """Write the cells as JSON."""
        cells = [[row, category, count] for (row, category), count in self.sum.cells.items()]
        path.write_text(json.dumps([self.sum.columns, self.sum.people, cells]))


class ActionCounts(AdditiveModel[Acts, ActionSum, SolvedActions]):
    """Counts of acts by kind of action and category of goods."""

    name = "actions"

    def zero(self, columns: int) -> ActionSum:
        """Return the sum over nobody."""
        return ActionSum(columns)

    def contribution(self, history: NDArray[np.void], facts: Facts) -> Acts | None:
        """Return a person's counts."""
        categories = facts.labels("category")
        acts = zip(np.searchsorted(ACTIONS, actions_of(history)).tolist(), history["item"].tolist(), strict=True)
        counted = Counter((row, categories[item]) for row, item in acts)
        return Acts(tuple((row, label, times) for (row, label), times in sorted(counted.items()))) if counted else None

    def read_contribution(self, stored: bytes) -> Acts:
        """Read a person's counts back."""
        try:
            return Acts(tuple((row, label, times) for row, label, times in json.loads(stored)))
        except ValueError as error:
            message = "Not a contribution."
            raise Corrupt(message) from error

    def solve(self, total: ActionSum) -> SolvedActions:
        """Solve a sum."""
        return SolvedActions(total)

    def load(self, path: Path) -> SolvedActions:
        """Read a solved model back."""
        columns, people, cells = json.loads(path.read_text())
        total = ActionSum(columns)
        total.people, total.cells = people, Counter({(row, label): count for row, label, count in cells})
        return SolvedActions(total)

    def describe(self, contribution: Acts, items: Mapping[int, str]) -> dict[str, Any]:
        """Return the counts by action and category."""
        counted = contribution.counted
        return {"acts": [[ACTION_BY_CODE[ACTIONS[row]].event, label, times] for row, label, times in counted]}
