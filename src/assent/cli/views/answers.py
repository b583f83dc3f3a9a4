"""The engine's answers as terminal text: decisions, consents, certificates, checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assent.cli.screen import took
from assent.terms.refusals import CODES, NOT_GRANTED
from assent.terms.sentences import sentence

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers.decisions import Because, Decision, Suggestion
    from assent.terms.answers.people import Certificate, Consents
    from assent.terms.answers.proofs import Verification

REASONS_SHOWN = 2


def print_decision(screen: Screen, decision: Decision) -> None:
    """Print one answer in its language: the list, why each item is in it, what was used, and what was not."""
    language = decision.language
    screen.heading(sentence(f"method.{decision.method}", language))
    if decision.items:
        print_list(screen, decision)
    if decision.used:
        screen.heading(sentence("heading.used", language))
        for words in decision.used:
            screen.say(f"  {words}")
    screen.heading(sentence("heading.not_used", language))
    screen.pairs([(each.what, each.why) for each in decision.not_used])
    screen.heading(sentence("heading.change", language))
    screen.say(f"  {decision.change}")
    if decision.receipt and decision.purpose:
        receipt = sentence("heading.receipt", language, receipt=decision.receipt, purpose=decision.purpose)
        screen.say(f"  {receipt}")


def print_list(screen: Screen, decision: Decision) -> None:
    """Print a list with the strongest reasons."""
    language = decision.language
    titles = ("", sentence("heading.item", language), sentence("heading.because", language))
    screen.table(titles, [(each.rank, title(each), why(each, language)) for each in decision.items])


def title(suggestion: Suggestion) -> str:
    """Name an item the way a person reads it: its name, or its id when it has none."""
    return suggestion.name or suggestion.item


def why(suggestion: Suggestion, language: str) -> str:
    """Say the strongest reasons of one suggestion with their shares, a line each."""
    if not suggestion.because:
        return suggestion.text
    return "\n".join(_reason(each, language) for each in suggestion.because[:REASONS_SHOWN])


def _reason(because: Because, language: str) -> str:
    item = because.name or because.item
    return sentence("text.share", language, action=because.action, item=item, percent=because.share_percent)


def print_consents(screen: Screen, states: Consents) -> None:
    """Print what one person agreed to, purpose by purpose."""
    rows = [
        (
            purpose,
            "yes" if state.why_not is None else _why_not(state.why_not),
            _day(state.since),
            _day(state.until),
            state.source or "",
        )
        for purpose, state in states.purposes.items()
        if state.why_not != NOT_GRANTED
    ]
    screen.table(("Purpose", "May be used", "Since", "Until", "Said through"), rows)
    never = [purpose for purpose, state in states.purposes.items() if state.why_not == NOT_GRANTED]
    screen.say()
    screen.say(f"Never agreed to, so never used: {', '.join(never)}.")


def _why_not(code: str) -> str:
    return sentence(f"why_not.{code}") if code in CODES["why_not"] else f"no: {code}"


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
    for model, removal in facts["models"].items():
        if removal["had_contribution"]:
            screen.say(f"  Digest of the {model}'s sum before, and after")
            screen.say(f"    {removal['digest_before']}")
            screen.say(f"    {removal['digest_after']}")
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


def outcome(code: str) -> str:
    """Say in a few words what became of an event, or of a line of a file."""
    return sentence(f"outcome.{code}") if code in CODES["outcome"] else code.replace("_", " ")
