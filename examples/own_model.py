"""A model of your own, outside the engine: how many people hold each item, as a sum that forgets exactly.

Run it with `python examples/own_model.py` in a clone, after `make setup`. The contract suite of `assent.testing.models`
holds for it, so one row in `assent.learn.registry` would have the engine keep it (docs/guide/add-a-model.md).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.models.additive import AdditiveModel, Facts
from assent.terms.errors import Corrupt, NotLearned
from assent.vault import entries

Counts = NDArray[np.int64]
History = NDArray[np.void]


@dataclass(frozen=True)
class Held:
    """The contribution of one person: their items, ascending, each once."""

    items: tuple[int, ...]

    @property
    def rows(self) -> NDArray[np.int32]:
        """The rows of the sum that it changes, int32 [items]."""
        return np.array(self.items, np.int32)

    def to_bytes(self) -> bytes:
        """Return its one stored form."""
        return self.rows.astype("<i4").tobytes()


class HolderSum:
    """The number of people who hold each item: whole numbers, a row for each item."""

    def __init__(self, counts: Counts, people: int = 0) -> None:
        """Hold these counts of that many people."""
        self.counts, self.people = counts, people

    @property
    def columns(self) -> int:
        """The number of items."""
        return len(self.counts)

    rows = columns

    def add(self, one: Held) -> None:
        """Add one person."""
        self.counts[one.rows] += 1
        self.people += 1

    def remove(self, one: Held) -> None:
        """Take one person out again; raises `NotLearned` when the sum cannot hold them."""
        if not self.people or not self.counts[one.rows].all():
            raise NotLearned("They are not in the sum.")
        self.counts[one.rows] -= 1
        self.people -= 1

    def merge(self, other: "HolderSum") -> None:
        """Add another sum over as many items."""
        self.counts += other.counts
        self.people += other.people

    def grow(self, columns: int) -> None:
        """Span more items, held by nobody."""
        self.counts = np.pad(self.counts, (0, columns - self.columns))

    def copy(self) -> "HolderSum":
        """Return an independent sum."""
        return HolderSum(self.counts.copy(), self.people)

    def flush(self) -> None:
        """Do nothing: nobody's contribution is kept aside."""

    def digest(self) -> str:
        """Return the SHA-256 of everything the sum says."""
        return hashlib.sha256(self.people.to_bytes(8, "little") + self.counts.astype("<i8").tobytes()).hexdigest()

    def row_bytes(self, row: int) -> bytes:
        """Return the one stored form of a row."""
        return int(self.counts[row]).to_bytes(8, "little")

    def replace_rows(self, rows: Mapping[int, bytes], counts: Counts, people: int) -> None:
        """Take over stored rows with the counts and people that belong to them; raises `Corrupt`."""
        if any(int.from_bytes(stored, "little") != counts[row] for row, stored in rows.items()):
            raise Corrupt("Rows and counts do not belong together.")
        self.counts, self.people = counts.copy(), people


class Popular:
    """The solved model: for each item the share of people who hold it, twice that for a person who holds it already."""

    def __init__(self, total: HolderSum) -> None:
        """Solve a sum, which it takes over."""
        self.sum = total
        self.shares = total.counts / max(total.people, 1)

    def parts_of(self, history: History) -> NDArray[np.float64]:
        """Return the two reasons of each answer, float64 [2, columns]: others hold it, you hold it."""
        held = np.isin(np.arange(self.sum.columns), history["item"])
        return np.stack([self.shares, self.shares * held])

    def scores_of(self, history: History) -> NDArray[np.float64]:
        """Return the answers, float64 [columns]."""
        return np.asarray(self.parts_of(history).sum(axis=0))

    def save(self, path: Path) -> None:
        """Write the sum to a file."""
        path.write_bytes(np.append(self.sum.counts, self.sum.people).astype("<i8").tobytes())


class Popularity(AdditiveModel[Held, HolderSum, Popular]):
    """The model: it makes contributions and sums, solves a sum, and reads what was stored."""

    name = "popularity"

    def zero(self, columns: int) -> HolderSum:
        """Return the sum over nobody."""
        return HolderSum(np.zeros(columns, np.int64))

    def contribution(self, history: History, facts: Facts) -> Held | None:  # noqa: ARG002 - the goods say nothing to it
        """Return what a person with this history adds: the same for the same history; None for an empty one."""
        return Held(tuple(np.unique(history["item"]).tolist())) if len(history) else None

    def read_contribution(self, stored: bytes) -> Held:
        """Read what `to_bytes` wrote; raises `Corrupt`."""
        if not stored or len(stored) % 4:
            raise Corrupt("Not a contribution.")
        return Held(tuple(np.frombuffer(stored, "<i4").tolist()))

    def solve(self, total: HolderSum) -> Popular:
        """Return what answers from a sum."""
        return Popular(total)

    def load(self, path: Path) -> Popular:
        """Read what `save` wrote."""
        *counts, people = np.frombuffer(path.read_bytes(), "<i8").tolist()
        return Popular(HolderSum(np.array(counts, np.int64), people))

    def describe(self, contribution: Held, items: Mapping[int, str]) -> dict[str, Any]:
        """Return what is held of a person, for their export."""
        return {"items": [items[item] for item in contribution.items]}


def main() -> None:
    """Learn from four people, answer one of them, and forget another as if never known."""
    goods = ["pot", "cup", "tin"]
    facts = Facts(len(goods), lambda _: [""] * len(goods))
    # item, day, code of the act, bits of the purposes it may serve
    people = [entries([(item, 20_000, 1, 3) for item in items]) for items in ([0, 1], [0, 1, 2], [1, 2], [1])]
    model = Popularity()
    added = [each for each in model.contributions(people, facts) if each is not None]

    total = model.sum_of(added, facts.columns)
    solved = model.solve(total.copy())
    for item, score, (others, own) in zip(
        goods, solved.scores_of(people[0]), solved.parts_of(people[0]).T, strict=True
    ):
        print(f"{item}: {score:.2f} = {others:.2f} because others hold it + {own:.2f} because you do")

    total.remove(added[1])
    never = model.sum_of([added[0], *added[2:]], facts.columns)
    print("Forgotten as if never known:", total.digest() == never.digest())


if __name__ == "__main__":
    main()
