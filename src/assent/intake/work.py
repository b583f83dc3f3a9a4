"""What one write job gathers before it writes: each person's part of the batch, and what became of every event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.intake.parse import Group
    from assent.intake.roster import Known
    from assent.store.records import RecordRow
    from assent.terms.ids import PersonId
    from assent.vault import Act


@dataclass(slots=True)
class Share:
    """One person's part of a batch: groups of events, each with the bits of the purposes it may serve."""

    known: Known
    parts: list[tuple[int, Group]] = field(default_factory=list)

    def events(self) -> int:
        """Return how many events there are."""
        return sum(len(group.events) for _, group in self.parts)

    def keep_only(self, bits: int) -> int:
        """Take away every purpose outside `bits`; return how many events that leaves without any, and so out."""
        before = self.events()
        self.parts = [(mask & bits, group) for mask, group in self.parts if mask & bits]
        return before - self.events()


@dataclass(slots=True)
class Work:
    """Everything one job has to write."""

    now_ms: int
    dropped: Counter[str]
    shares: dict[PersonId, Share] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    #: Records that were sealed anew because two people turned out to be one.
    moved: list[RecordRow] = field(default_factory=list)
    #: How many bytes of events are kept, before sealing.
    bytes_kept: int = 0
    #: Whether consent, keys or people changed, so that the epoch moved.
    changed: bool = False

    def share(self, known: Known) -> Share:
        """Return a person's part, begun when it is new."""
        share = self.shares.get(known.person)
        if share is None:
            share = self.shares[known.person] = Share(known)
        return share
