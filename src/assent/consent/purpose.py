"""The declaration of one purpose, with the notice that people are asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from assent.consent.notices import Notice
from assent.consent.shape import LegalBasis
from assent.terms.errors import InvalidInput
from assent.terms.purposes import Purpose

#: The family of purposes that share data with others: one for each recipient.
SHARE = "share"


@dataclass(frozen=True, slots=True)
class DataKind:
    """One kind of data: its id, its IRI in the Data Privacy Vocabulary, and its name in each language."""

    id: str
    dpv: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DeclaredPurpose:
    """The declaration of one purpose; `retention_days` counts from the day on which data was taken in."""

    id: str
    dpv: str
    legal_basis: LegalBasis
    data: tuple[DataKind, ...]
    retention_days: int
    recipients: tuple[str, ...]
    sensitive: bool
    adult_only: bool
    optional: bool
    tcf: tuple[int, ...]
    gpp: tuple[str, ...]
    consent_mode: tuple[str, ...]
    aliases: tuple[str, ...]
    review_by: date
    #: By language.
    notices: Mapping[str, Notice]
    #: The way to withdraw the consent, by language.
    withdraw: Mapping[str, str]
    #: True when events may be kept for it; it has a bit once the store allotted one.
    keeps_events: bool
    #: The type that permits for this purpose carry.
    tag: type[Purpose]

    def notice(self, language: str) -> Notice:
        """Return the notice in a language (`de`, also for `de-AT`); raises `InvalidInput` when there is none."""
        found = self.notices.get(language.partition("-")[0].lower())
        if found is None:
            raise InvalidInput(
                "There is no notice in that language.", advice=f"Use one of: {', '.join(sorted(self.notices))}."
            )
        return found

    def row(self) -> dict[str, Any]:
        """Return it as plain JSON values, the first language's title and text on top."""
        first = next(iter(self.notices.values()))
        return {
            "id": self.id,
            "title": first.title,
            "text": first.text,
            "notices": {
                language: {"title": notice.title, "text": notice.text, "hash": notice.hash}
                for language, notice in self.notices.items()
            },
            "optional": self.optional,
            "legal_basis": self.legal_basis,
            "dpv": self.dpv,
            "data": [{"id": kind.id, "dpv": kind.dpv, "names": dict(kind.names)} for kind in self.data],
            "retention_days": self.retention_days,
            "recipients": list(self.recipients),
            "sensitive": self.sensitive,
            "adult_only": self.adult_only,
            "aliases": list(self.aliases),
            "mappings": {"tcf": list(self.tcf), "gpp": list(self.gpp), "consent_mode": list(self.consent_mode)},
            "review_by": self.review_by.isoformat(),
        }
