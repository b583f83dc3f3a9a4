"""Signals are read here: Segment's `context.consent`, RudderStack's `context.consentManagement` and `Sec-GPC`.

Without a signal the ledger decides; a signal that cannot be read refuses every optional purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import repeat
from types import MappingProxyType
from typing import Any, Final, Literal

from assent.consent.purposes import Purposes, built_in
from assent.consent.signals import NO_SIGNALS, Conflict, Signals, unknown_mode
from assent.terms.refusals import GPC, UNREADABLE
from assent.terms.settings import GPC_MODES

#: One signal: categories with yes or no (no category: no to everything), `unreadable`, or None without a signal.
Said = tuple[tuple[str, bool], ...]
Read = Said | Literal["unreadable"] | None

#: The number of unknown categories that are listed, and of characters of each: a client wrote them.
_UNKNOWN_LISTED = 32
_UNKNOWN_CHARS = 64

#: The number of resolved signals that are cached, and of characters of each.
_REMEMBERED_SIGNALS = 512
_REMEMBERED_CHARS = 2_048

_remembered: dict[tuple[object, ...], Signals] = {}

#: `isinstance` finds a plain dict much faster than the abstract type.
_MAPS: Final = (dict, Mapping)
_ONLY_TEXT: Final = frozenset({str})


def read_signals(
    context: Mapping[str, Any] | None,
    gpc: bool = False,
    mode: str = "strict",
    purposes: Purposes | None = None,
) -> Signals:
    """Read the signals of one event: its `context`, and whether its request had `Sec-GPC: 1`.

    Never raises on what a client sent; raises `InvalidInput` for a mode that does not exist. Signals that were read
    lately are returned as the same object.
    """
    if mode not in GPC_MODES:
        raise unknown_mode()
    segment: Read = None
    rudderstack: Read = None
    if isinstance(context, _MAPS):
        if "consent" in context:
            segment = _read_segment(context["consent"])
        if "consentManagement" in context:
            rudderstack = _read_rudderstack(context["consentManagement"])
    elif context is not None:
        segment = rudderstack = UNREADABLE
    if segment is None and rudderstack is None and not gpc:
        return NO_SIGNALS
    key = (purposes, segment, rudderstack, gpc, mode)
    signals = _remembered.get(key)
    if signals is None:
        signals = _resolve(purposes or built_in(), {"segment": segment, "rudderstack": rudderstack}, gpc, mode)
        if len(str(key)) <= _REMEMBERED_CHARS:
            if len(_remembered) >= _REMEMBERED_SIGNALS:
                _remembered.clear()
            _remembered[key] = signals
    return signals


def _read_segment(consent: object) -> Read:
    """Read `context.consent`: its `categoryPreferences` map categories to true or false."""
    if not isinstance(consent, _MAPS):
        return UNREADABLE
    if "categoryPreferences" not in consent:
        return None
    preferences = consent["categoryPreferences"]
    if not isinstance(preferences, _MAPS):
        return UNREADABLE
    said = tuple(preferences.items())
    for name, yes in said:
        if (yes is not True and yes is not False) or type(name) is not str:
            return UNREADABLE
    return said


def _read_rudderstack(management: object) -> Read:
    """Read `context.consentManagement`: lists of allowed and denied categories, at least one of them.

    `resolutionStrategy` "or" would let one allowed category outweigh a denied one; here the most restrictive wins.
    """
    if not isinstance(management, _MAPS) or management.keys().isdisjoint(("allowedConsentIds", "deniedConsentIds")):
        return UNREADABLE
    allowed, denied = management.get("allowedConsentIds", ()), management.get("deniedConsentIds", ())
    for names in (allowed, denied):
        if not isinstance(names, (list, tuple)) or not _ONLY_TEXT.issuperset(map(type, names)):
            return UNREADABLE
    for text in (management.get("provider", ""), management.get("resolutionStrategy", "")):
        if type(text) is not str:
            return UNREADABLE
    return (*zip(allowed, repeat(True)), *zip(denied, repeat(False)))


def _resolve(purposes: Purposes, read: Mapping[str, Read], gpc: bool, mode: str) -> Signals:
    """Map categories with yes or no to purposes; one no outweighs every yes."""
    votes: defaultdict[str, dict[bool, list[tuple[str, str]]]] = defaultdict(lambda: {True: [], False: []})
    unknown: dict[str, None] = {}
    said_by = {source: said for source, said in read.items() if said is not None and said != UNREADABLE}
    for source, said in said_by.items():
        for purpose_id in () if said else purposes.optional:
            votes[purpose_id][False].append((source, source))
        for category, yes in said:
            meant = _meant(purposes, category, yes=yes)
            if meant is None:
                unknown[category[:_UNKNOWN_CHARS]] = None
            for purpose_id in meant or ():
                votes[purpose_id][yes].append((source, f"{source}:{category}"))
    spoke = [source for source, said in read.items() if said is not None]
    categories = {purpose_id: not vote[False] for purpose_id, vote in votes.items()}
    return Signals(
        gpc=gpc,
        categories=MappingProxyType(categories) if said_by else None,
        source="+".join([*spoke, GPC] if gpc else spoke),
        mode=mode,
        unreadable=len(said_by) < len(spoke),
        sources=MappingProxyType(
            {key: tuple(dict.fromkeys(source for source, _ in vote[categories[key]])) for key, vote in votes.items()}
        ),
        unknown=tuple(unknown)[:_UNKNOWN_LISTED],
        conflicts=_conflicts(votes, Signals(gpc=gpc, mode=mode)),
        bits=purposes.keeping,
    )


def _meant(purposes: Purposes, category: str, *, yes: bool) -> tuple[str, ...] | None:
    """Return the optional purposes of a category; None for an unknown one."""
    meaning = purposes.meaning(category)
    if meaning is None:
        return None
    if meaning.refuses_only and yes:
        return ()
    return tuple(each for each in meaning.purposes if each in purposes.optional)


def _conflicts(votes: Mapping[str, Mapping[bool, list[tuple[str, str]]]], gpc: Signals) -> tuple[Conflict, ...]:
    """Return the purposes with both a yes and a no."""
    conflicts = []
    for purpose_id, vote in votes.items():
        yes = tuple(label for _, label in vote[True])
        no = tuple(label for _, label in vote[False])
        if gpc.stopped_by_gpc(purpose_id):
            no += (GPC,)
        if yes and no:
            conflicts.append(Conflict(purpose_id, yes, no))
    return tuple(conflicts)
