"""What one write job gathers before it writes: each person's part of the batch, and what became of every event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from assent.terms.answers.events import TakenIn

if TYPE_CHECKING:
    from assent.intake.known_people import Known
    from assent.intake.parse import Group
    from assent.store.topics.records import RecordRow
    from assent.terms.ids import PersonId
    from assent.vault import Act


@dataclass(slots=True)
class Tally:
    """What became of one batch's events."""

    dropped: Counter[str]
    stored: int = 0

    def answer(self) -> TakenIn:
        """Return it as the batch's sender is told."""
        return TakenIn(self.stored, {reason: count for reason, count in self.dropped.items() if count})


class Part(msgspec.Struct, gc=False):
    """A group of events, the bits of the purposes it may serve, and the tally of the batch it came in."""

    mask: int
    group: Group
    tally: Tally


@dataclass(slots=True)
class PersonShare:
    """One person's parts of a job."""

    known: Known
    parts: list[Part] = field(default_factory=list)

    def keep_only(self, bits: int, reason: str) -> None:
        """Take away every purpose outside `bits`; events that are left without any are out, for a reason."""
        kept = []
        for part in self.parts:
            if part.mask & bits:
                kept.append(Part(part.mask & bits, part.group, part.tally))
            else:
                part.tally.dropped[reason] += len(part.group.events)
        self.parts = kept


@dataclass(slots=True)
class BatchWork:
    """Everything one job has to write, and the tally of the batch that it is at."""

    now_ms: int
    tally: Tally
    shares: dict[PersonId, PersonShare] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    #: Records that were sealed anew because two people turned out to be one.
    moved: list[RecordRow] = field(default_factory=list)
    #: How many bytes of events are kept, before sealing.
    bytes_kept: int = 0
    #: Whether consent, keys or people changed, so that the epoch moved.
    changed: bool = False

    def drop(self, reason: str, group: Group) -> None:
        """Count a group's events as dropped."""
        self.tally.dropped[reason] += len(group.events)

    def keep(self, known: Known, mask: int, group: Group) -> None:
        """Put a group's events into a person's share, for the purposes of `mask`."""
        share = self.shares.get(known.person)
        if share is None:
            share = self.shares[known.person] = PersonShare(known)
        share.parts.append(Part(mask, group, self.tally))
