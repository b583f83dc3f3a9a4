"""The words of an answer: the sentences of each language are looked up once, and only what varies is put in."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from assent.terms import refusals
from assent.terms.answers.decisions import NotUsed
from assent.terms.sentences import sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Data that this engine never uses, named in every answer, with the reason.
_NEVER = (
    (refusals.DEVICE, "not_used_because", refusals.REMOVED),
    (refusals.SENSITIVE, "not_used_because", refusals.NOT_COLLECTED),
    (refusals.OUTSIDE, "not_used_because", refusals.NOT_TAKEN_IN),
)


class Phrases:
    """The sentences of one language that reasons are told in."""

    __slots__ = ("_acts", "_one", "_several", "actions", "change", "popular")

    def __init__(self, language: str) -> None:
        """Look them up; raises `KeyError` for a language that has none."""
        known = sentences(language)
        #: The words for each act, by its code.
        self.actions = {code: known[f"action.{code}"] for code in refusals.CODES["action"]}
        self._acts = {code: known[f"because.{code}"] for code in refusals.CODES["because"]}
        self._one = known["text.because"]
        self._several = known["text.because"].replace("{acts}", known["text.and"])
        self.popular = known["text.popular"]
        self.change = known["change.how"]

    def act(self, code: str, item: str) -> str:
        """Return what a person did with an item, as a part of a sentence."""
        return self._acts[code].replace("{item}", item)

    def because(self, acts: Sequence[str]) -> str:
        """Return the reasons in one sentence, the strongest act first; without any the item is told as popular."""
        if not acts:
            return self.popular
        if len(acts) == 1:
            return self._one.format(acts=acts[0])
        return self._several.format(acts=", ".join(acts[:-1]), last=acts[-1])


@cache
def phrases(language: str) -> Phrases:
    """Return the phrases of a language; raises `KeyError` for a language that has none."""
    return Phrases(language)


@lru_cache(1_024)
def used_line(code: str, numbers: tuple[tuple[str, int], ...], language: str) -> str:
    """Return how one thing that was used is told, with its numbers."""
    if code != refusals.HISTORY:
        return sentence(f"used.{code}", language, **dict(numbers))
    counted = {
        what: sentence(f"counted.{what.removesuffix('s') if count == 1 else what}", language, count=count)
        for what, count in numbers
    }
    return sentence("used.history", language, **counted)


@lru_cache(1_024)
def not_used_lines(reasons: tuple[tuple[str, str, str], ...], unlisted: int, language: str) -> tuple[NotUsed, ...]:
    """Return what was not used, each with its reason; `reasons` are codes with the table and code of their reason."""
    return tuple(
        NotUsed(
            what=sentence(f"not_used.{code}", language, items=str(unlisted)),
            why=sentence(f"{table}.{reason}", language),
            code=code,
            reason=reason,
        )
        for code, table, reason in (*reasons, *_NEVER)
    )
