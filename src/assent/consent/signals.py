"""Signals: yes or no to purposes that arrives with a request or an event. The most restrictive wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assent.consent.purpose import SHARE
from assent.terms.errors import InvalidInput
from assent.terms.purposes import BUILT_IN_BITS, Service
from assent.terms.refusals import GPC, SIGNAL
from assent.terms.settings import GPC_MODES

_EVERY_BIT = -1


def unknown_mode() -> InvalidInput:
    """Return the error for a mode of Global Privacy Control that does not exist."""
    return InvalidInput("That is not a mode of Global Privacy Control.", advice=f"Use one of: {', '.join(GPC_MODES)}.")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two signals, or two categories of one, that disagree on a purpose: the sources of yes and of no. The no wins."""

    purpose: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of one request or event, resolved to purposes.

    `gpc`: `Sec-GPC` was exactly `1`. `categories`: purpose id to yes or no, None without a consent object. `source`:
    the signals that were there, joined by `+`. `mode`: GPC refuses everything optional (`strict`) or only `share:*`
    (`sharing`).
    """

    gpc: bool = False
    categories: Mapping[str, bool] | None = None
    source: str = ""
    mode: str = "strict"
    #: A consent object was there and could not be read: everything optional is refused.
    unreadable: bool = False
    #: The signals that decided a purpose, by its id, where they are not simply `source`.
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Unknown categories; they are ignored.
    unknown: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    #: The bits of the purposes that keep events, by id.
    bits: Mapping[str, int] = field(default_factory=lambda: BUILT_IN_BITS)
    #: The purposes' bits that are not refused here, and `categories` with the bit of each; for the hot path.
    open_bits: int = field(init=False)
    votes: tuple[tuple[str, bool, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Compute the bits once; raises `InvalidInput` for a mode that does not exist."""
        if self.mode not in GPC_MODES:
            raise unknown_mode()
        bits = _EVERY_BIT
        if self.unreadable or (self.gpc and self.mode == "strict"):
            bits = 0
        elif self.gpc:
            for purpose_id, bit in self.bits.items():
                if self.stopped_by_gpc(purpose_id):
                    bits &= ~bit
        said_of = {} if self.categories is None else self.categories
        votes = tuple((purpose_id, said, self.bits.get(purpose_id, 0)) for purpose_id, said in said_of.items())
        for _, said, bit in votes:
            if not said:
                bits &= ~bit
        object.__setattr__(self, "open_bits", bits)
        object.__setattr__(self, "votes", votes)

    def refusal(self, purpose_id: str) -> tuple[str, str] | None:
        """Return why an optional purpose is refused here, as (reason, source), or None when it is not."""
        if self.unreadable:
            return SIGNAL, self.source
        if self.stopped_by_gpc(purpose_id):
            return GPC, GPC
        if self.categories is not None and self.categories.get(purpose_id) is False:
            return SIGNAL, "+".join(self.sources_of(purpose_id))
        return None

    def stopped_by_gpc(self, purpose_id: str) -> bool:
        """Tell whether Global Privacy Control refuses an optional purpose."""
        return self.gpc and (self.mode == "strict" or purpose_id.startswith(f"{SHARE}:"))

    def says(self, purpose_id: str) -> bool | None:
        """Return the signals' answer on a purpose: False refuses it, True agrees, None is silence."""
        if purpose_id == Service.id:
            return None
        if self.refusal(purpose_id) is not None:
            return False
        return None if self.categories is None else self.categories.get(purpose_id)

    def sources_of(self, purpose_id: str) -> tuple[str, ...]:
        """Return the signals that decided a purpose."""
        return self.sources.get(purpose_id) or (self.source,)


#: No signal at all: the ledger decides alone.
NO_SIGNALS = Signals()
