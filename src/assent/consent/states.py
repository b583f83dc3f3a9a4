"""A person's consent at a moment: pure functions of ledger states, signals and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from assent.consent.signals import Signals
from assent.terms.clock import DAY_MS
from assent.terms.limits import limit
from assent.terms.purposes import EVERY_PURPOSE
from assent.terms.refusals import EXPIRED, GPC, NO_CONSENT, NOTICE_CHANGED, REFUSED, SIGNAL, UNREADABLE, WITHDRAWN

Action = Literal["granted", "refused", "withdrawn", "expired", "invalidated"]
ACTIONS: frozenset[str] = frozenset(get_args(Action))
_ONCE_YES: frozenset[str] = frozenset({"granted", "expired"})

_CONSENT_MS = limit("consent_days") * DAY_MS


def expiry_ms(granted_ms: int) -> int:
    """Return when a consent given at that moment ends, milliseconds since the epoch."""
    return granted_ms + _CONSENT_MS


@dataclass(frozen=True, slots=True)
class State:
    """The last ledger entry of one person and one purpose; times in milliseconds since the epoch.

    `outdated`: this was a yes to words that are not the words of today, so it does not carry over. Nor does one that
    had ended before its words changed, whether its end is written down or not.
    """

    purpose: str
    action: str
    at_ms: int
    expires_ms: int | None
    source: str
    notice_hash: str
    entry_id: str
    outdated: bool = False
    #: The bit of the purpose, 0 where records do not remember it.
    bit: int = 0
    #: The consent is in force while the clock is below this; 0 when it is not in force at all.
    until_ms: int = field(init=False)

    def __post_init__(self) -> None:
        """Compute once what the hot path compares."""
        until_ms = 0
        outdated = self.action == "invalidated" or (self.outdated and self.action in _ONCE_YES)
        if self.action == "granted" and not outdated:
            until_ms = expiry_ms(self.at_ms) if self.expires_ms is None else self.expires_ms
        object.__setattr__(self, "outdated", outdated)
        object.__setattr__(self, "until_ms", until_ms)

    def refusal(self, now_ms: int) -> str | None:
        """Return why this is no consent at a moment, as a stable word, or None when it is one.

        `refused`, `withdrawn`, `expired` or `notice_changed`; an action that is not known counts as `refused`.
        """
        if self.until_ms > now_ms:
            return None
        if self.outdated:
            return NOTICE_CHANGED
        if self.action in _ONCE_YES:
            return EXPIRED
        return WITHDRAWN if self.action == "withdrawn" else REFUSED


class Change(NamedTuple):
    """One entry that a signal adds to the ledger."""

    purpose: str
    action: Literal["granted", "withdrawn"]
    source: str
    at_ms: int


class EventConsent(NamedTuple):
    """The consent of one event: its purposes, the changes of the ledger that it brings, and the reason of a refusal.

    `mask`: the bits of the purposes it may serve. `refused_by`: empty when there are any; else `unreadable`, `gpc`,
    `signal`, or `no_consent` when the ledger alone says no.
    """

    mask: int
    changes: tuple[Change, ...]
    refused_by: str


_ALLOWED = tuple(EventConsent(mask, (), "") for mask in range(EVERY_PURPOSE + 1))
_REFUSED = {reason: EventConsent(0, (), reason) for reason in (UNREADABLE, GPC, SIGNAL, NO_CONSENT)}


def allowed_bits(states: Mapping[str, State], signals: Signals, now_ms: int) -> int:
    """Return the bits of the purposes that a person allows at a moment; signals can only take bits away."""
    mask = 0
    for state in states.values():
        if state.until_ms > now_ms:
            mask |= state.bit
    return mask & signals.open_bits


def decide_event(states: Mapping[str, State], signals: Signals, event_ms: int, now_ms: int) -> EventConsent:
    """Decide about one event of a person from the ledger's states and the event's signals; the most restrictive wins.

    A no takes the purpose from this event and, where the ledger grants it, withdraws it there. A yes grants a purpose
    that was not decided yet, that expired, or that the same kind of signal took back before this event; it never
    overrules a no given through our own API, and never revives a consent to other words. `event_ms`: when the event
    happened.
    """
    mask = 0
    for state in states.values():
        if state.until_ms > now_ms:
            mask |= state.bit
    changes: tuple[Change, ...] = ()
    for purpose, said, bit in signals.votes:
        current = states.get(purpose)
        if _agrees(current, now_ms, said=said):
            continue
        at_ms = min(event_ms, now_ms)
        if not said:
            changes += (Change(purpose, "withdrawn", signals.sources_of(purpose)[0], at_ms),)
        elif _may_agree(purpose, current, signals, at_ms, now_ms):
            changes += (Change(purpose, "granted", signals.sources_of(purpose)[0], at_ms),)
            mask |= bit
    mask &= signals.open_bits
    if not changes:
        return _ALLOWED[mask] if mask else _REFUSED[_refused_by(signals)]
    return EventConsent(mask, changes, "" if mask else _refused_by(signals))


def agree(states: Mapping[str, State], signals: Signals, now_ms: int) -> bool:
    """Tell whether signals and ledger agree on every purpose: then the answer is the same for every event."""
    return all(_agrees(states.get(purpose), now_ms, said=said) for purpose, said, _ in signals.votes)


def _agrees(state: State | None, now_ms: int, *, said: bool) -> bool:
    """Tell whether the ledger agrees on a purpose with what a signal said."""
    if state is None:
        return not said
    return (state.until_ms > now_ms) is said and not state.outdated


def _may_agree(purpose: str, state: State | None, signals: Signals, at_ms: int, now_ms: int) -> bool:
    """Tell whether a yes counts: no signal refuses it, it is not too old, and no newer or other no is in force."""
    if signals.refusal(purpose) is not None or expiry_ms(at_ms) <= now_ms:
        return False
    if state is None:
        return True
    reason = state.refusal(now_ms)
    if reason in {WITHDRAWN, REFUSED}:
        return state.source in signals.sources_of(purpose) and state.at_ms < at_ms
    return reason == EXPIRED


def _refused_by(signals: Signals) -> str:
    """Return the reason of a refusal of every purpose."""
    if signals.unreadable:
        return UNREADABLE
    if signals.gpc and signals.mode == "strict":
        return GPC
    return SIGNAL if signals.open_bits != -1 else NO_CONSENT
