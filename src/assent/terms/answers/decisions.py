"""Answers of a decision: its items and their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Because:
    """One true reason: an act of the person themself and its rounded share of the score, in percent."""

    item: str
    name: str
    #: The action of the person, in the language of the answer.
    action: str
    share_percent: int
    #: The same as a stable code: the name of an action of `assent.terms.events`, or `on_page`.
    action_code: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggested item: its place in the list, its public facts, and why it is here."""

    rank: int
    item: str
    name: str
    facts: Mapping[str, Any]
    because: Sequence[Because]
    #: The reason in one plain sentence.
    text: str


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Something that could have been used and was not, and why: in words, and as codes of `assent.terms.refusals`."""

    what: str
    why: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer to "what shall this slot show?", with its reasons. No exact score is part of it."""

    decision_id: str
    at: str
    slot: str
    mode: str
    #: The language of every sentence in it.
    language: str
    #: True when the person's own history chose the items.
    personal: bool
    #: `personal`, `similar`, `popular` or `empty`: how the items were found.
    method: str
    items: Sequence[Suggestion]
    used: Sequence[str]
    #: The same as codes, `history`, `page` or `others`, each with its numbers.
    used_codes: Mapping[str, Mapping[str, int]]
    not_used: Sequence[NotUsed]
    purpose: str | None
    #: The receipt of the consent that this answer rests on.
    receipt: str | None
    gpc_honored: bool
    #: The way to change or stop this.
    change: str
