"""The work of one write job: each person's part of the batch, and the outcome of every event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from assent.terms.answers.events import TakenIn

if TYPE_CHECKING:
    from assent.intake.known_people import IntakePerson
    from assent.intake.parse import Group
    from assent.store.topics.records import RecordRow
    from assent.terms.ids import PersonId
    from assent.vault import Act


@dataclass(slots=True)
class Tally:
    """The outcomes of one batch's events."""

    dropped: Counter[str]
    stored: int = 0

    def answer(self) -> TakenIn:
        """Return the answer to the batch's sender."""
        return TakenIn(self.stored, {reason: count for reason, count in self.dropped.items() if count})


class Part(msgspec.Struct, gc=False):
    """A group of events, the bits of the purposes it may serve, and the tally of the batch it came in."""

    mask: int
    group: Group
    tally: Tally


@dataclass(slots=True)
class PersonShare:
    """One person's parts of a job."""

    person: IntakePerson
    parts: list[Part] = field(default_factory=list)

    def keep_only(self, bits: int, reason: str) -> None:
        """Take away every purpose outside `bits`; events without a purpose are dropped for `reason`."""
        kept = []
        for part in self.parts:
            if part.mask & bits:
                kept.append(Part(part.mask & bits, part.group, part.tally))
            else:
                part.tally.dropped[reason] += len(part.group.events)
        self.parts = kept


@dataclass(slots=True)
class BatchWork:
    """The data that one job has to write, and the tally of the batch that it is reading."""

    now_ms: int
    tally: Tally
    shares: dict[PersonId, PersonShare] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    #: Records that were sealed again because two people were merged.
    moved: list[RecordRow] = field(default_factory=list)
    #: The bytes of the events that are kept, before sealing.
    bytes_kept: int = 0
    #: True once consent, keys or people changed, so that the epoch moved.
    changed: bool = False

    def drop(self, reason: str, group: Group) -> None:
        """Count a group's events as dropped."""
        self.tally.dropped[reason] += len(group.events)

    def keep(self, person: IntakePerson, mask: int, group: Group) -> None:
        """Put a group's events into a person's share, for the purposes of `mask`."""
        share = self.shares.get(person.id)
        if share is None:
            share = self.shares[person.id] = PersonShare(person)
        share.parts.append(Part(mask, group, self.tally))
