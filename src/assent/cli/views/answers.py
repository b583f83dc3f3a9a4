"""How the engine's answers read in a terminal: decisions, consents, certificates, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assent.cli.screen import took

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers.decisions import Because, Decision, Suggestion
    from assent.terms.answers.people import Certificate, Consents
    from assent.terms.answers.proofs import Verification

_METHODS = {
    "personal": "Chosen from the person's own history.",
    "similar": "Chosen because they go with the item on the page; nobody's history was used.",
    "popular": "What many people who agreed to share like; nobody's own history was used.",
    "empty": "There is nothing to suggest: the catalogue is empty, or everything was left out.",
}

NEVER = "not_granted"

#: Why a purpose may not be used now, in the words of a person.
_WHY_NOT = {
    "refused": "no: refused",
    "withdrawn": "no: withdrawn",
    "expired": "no: too old, ask again",
    "notice_changed": "no: the notice changed, ask again",
}

REASONS_SHOWN = 2


def print_decision(screen: Screen, decision: Decision) -> None:
    """Print one answer: the list, why each item is in it, what was used, and what was not."""
    screen.heading(_METHODS[decision.method])
    if decision.items:
        screen.table(("", "Item", "Because"), [(each.rank, title(each), why(each)) for each in decision.items])
    if decision.used:
        screen.heading("Used")
        for words in decision.used:
            screen.say(f"  {words}")
    screen.heading("Not used")
    screen.pairs([(each.what, each.why) for each in decision.not_used])
    screen.heading("To change this")
    screen.say(f"  {decision.change}")
    if decision.receipt:
        screen.say(f"  Rests on the consent with receipt {decision.receipt}, for the purpose '{decision.purpose}'.")


def title(suggestion: Suggestion) -> str:
    """Name an item the way a person reads it: its name, or its id when it has none."""
    return suggestion.name or suggestion.item


def why(suggestion: Suggestion) -> str:
    """Say the strongest reasons of one suggestion with their shares, a line each."""
    if not suggestion.because:
        return suggestion.text
    return "\n".join(_reason(each) for each in suggestion.because[:REASONS_SHOWN])


def _reason(because: Because) -> str:
    return f"{because.action} {because.name or because.item} ({because.share_percent}%)"


def print_consents(screen: Screen, states: Consents) -> None:
    """Print what one person agreed to, purpose by purpose."""
    rows = [
        (
            purpose,
            "yes" if state.why_not is None else _WHY_NOT.get(state.why_not, f"no: {state.why_not}"),
            _day(state.since),
            _day(state.until),
            state.source or "",
        )
        for purpose, state in states.purposes.items()
        if state.why_not != NEVER
    ]
    screen.table(("Purpose", "May be used", "Since", "Until", "Said through"), rows)
    never = [purpose for purpose, state in states.purposes.items() if state.why_not == NEVER]
    screen.say()
    screen.say(f"Never agreed to, so never used: {', '.join(never)}.")


def print_certificate(screen: Screen, proof: Certificate, seconds: float) -> None:
    """Print what an erasure removed, and the sum before and after."""
    facts = proof.body["facts"]
    screen.heading(f"Erased in {took(seconds)}.")
    rows = [
        ("Rows deleted", rows_deleted(facts)),
        ("Key", facts["key"]),
        ("Found in a search afterwards", f"{facts['rows_found_afterwards']} rows"),
    ]
    screen.pairs(rows)
    for model, told in facts["models"].items():
        if told["had_contribution"]:
            screen.say(f"  Digest of the {model}'s sum before, and after")
            screen.say(f"    {told['digest_before']}")
            screen.say(f"    {told['digest_after']}")
        else:
            screen.say(f"  The {model}'s sum held nothing of them.")


def rows_deleted(facts: Mapping[str, Any]) -> str:
    """Say how many rows of how many tables an erasure deleted."""
    deleted = facts["rows_deleted"]
    return f"{sum(deleted.values())}, in {len(deleted)} tables"


def _day(moment: str | None) -> str:
    return moment[:10] if moment else ""


def print_checks(screen: Screen, found: Verification) -> None:
    """Print one line a check."""
    rows = [("holds" if each.holds else "FAILS", each.name, each.found) for each in found.checks]
    screen.table(("", "What", "Found"), rows)
