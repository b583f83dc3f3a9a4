"""Consent for an import: from a column of the file, or stated by the operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from assent.consent import Purposes
from assent.terms.errors import InvalidInput
from assent.terms.limits import limit

_SPLIT = re.compile(r"[,;|\s]+")
_YES = frozenset(("true", "yes", "y", "1", "granted"))
_NO = frozenset(("", "false", "no", "n", "0", "none", "null", "refused", "denied"))

#: The identifiers of a row: user id, anonymous id.
Named = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of an operator: purposes that people agreed to, evidence, and the column with each answer."""

    purposes: frozenset[str]
    evidence: str
    column: str | None


def read_statement(
    purposes: Purposes, grant: Iterable[str], evidence: str | None, column: str | None, digest: str
) -> Statement:
    """Check the operator's statement before the file is read.

    Raises `InvalidInput` without purposes and evidence, or a column; `UnknownPurpose` for an undeclared purpose.
    """
    named = frozenset(grant)
    if column is None and not (named and evidence and evidence.strip()):
        raise InvalidInput(
            "Nobody's consent is stated, so nothing is imported.",
            advice='State it with --grant personalize,learn --evidence "what proves it", or name its --consent-column.',
        )
    for purpose in sorted(named):
        if not purposes.get(purpose).optional:
            raise InvalidInput(f"'{purpose}' is not a matter of consent.", advice="Grant optional purposes only.")
    if named and not named & purposes.keeping.keys():
        raise InvalidInput(
            "None of the purposes lets an event be kept.", advice="Grant personalize, learn, message or measure."
        )
    text = (evidence or "").strip() or f"column {column} of the file with SHA-256 {digest}"
    if len(text) > limit("evidence_chars_max"):
        raise InvalidInput("The evidence is too long.", advice=f"Use at most {limit('evidence_chars_max')} characters.")
    return Statement(named, text, column)


def agreed_to(purposes: Purposes, statement: Statement) -> Callable[[Iterable[str | None]], frozenset[str]]:
    """Return the function from a person's texts in the consent column to the purposes that they agreed to.

    A text names purposes, or says yes or no to the stated purposes. Over all of a person's lines the most restrictive
    wins. The function raises `UnknownPurpose` for an undeclared purpose, `InvalidInput` for a yes to nothing.
    """
    known: dict[str, frozenset[str]] = {}

    def one(text: str) -> frozenset[str]:
        words = text.strip().lower()
        if words in _NO:
            return frozenset()
        if words in _YES:
            if not statement.purposes:
                raise InvalidInput(
                    "The consent column says yes, but to what?", advice="Name the purposes with --grant."
                )
            return statement.purposes
        named = frozenset(filter(None, _SPLIT.split(words)))
        for purpose in sorted(named):
            purposes.get(purpose)
        return named & statement.purposes if statement.purposes else named

    def everyone(texts: Iterable[str | None]) -> frozenset[str]:
        if statement.column is None:
            return statement.purposes
        agreed: frozenset[str] | None = None
        for text in texts:
            key = text or ""
            if key not in known:
                known[key] = one(key)
            agreed = known[key] if agreed is None else agreed & known[key]
        return agreed or frozenset()

    return everyone


def consent_expression(frame: pl.DataFrame, column: str | None) -> pl.Expr:
    """Return an expression of the consent column as text, null without one; raises `InvalidInput` if it is missing."""
    if column is None:
        return pl.lit(None, dtype=pl.String)
    if column not in frame.columns:
        raise InvalidInput("The file has no column of the name given for consent.", advice="Check --consent-column.")
    return pl.col(column).cast(pl.String, strict=False)


def consent_texts_of(rows: pl.DataFrame, names: Sequence[str]) -> dict[Named, list[str | None]]:
    """Return the distinct texts of the column `consent` for each person, by the columns that name them."""
    grouped = rows.group_by(names).agg(pl.col("consent").unique())
    return {tuple(named): texts for *named, texts in grouped.iter_rows()}
