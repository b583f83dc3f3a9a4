"""The shape of purposes.toml: read once, checked whole, and refused with the place of the first mistake."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Annotated, Literal

import msgspec

from assent.terms.errors import InvalidInput

LegalBasis = Literal["consent", "explicit_consent", "contract"]

ConsentModeSignal = Literal[
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
]

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MemberName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}$")]
Words = Annotated[str, msgspec.Meta(min_length=1)]
Iri = Annotated[str, msgspec.Meta(pattern=r"^https://w3id\.org/dpv(/[a-z]+)?#[A-Za-z]+$")]
Days = Annotated[int, msgspec.Meta(ge=1)]
#: The purposes of IAB TCF 2.3 are numbered from 1.
TCF_PURPOSES = 11
TcfPurpose = Annotated[int, msgspec.Meta(ge=1, le=TCF_PURPOSES)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; an unknown key is refused."""


class Sentences(_Table, frozen=True):
    """The sentences that every notice of one language ends with."""

    data: Words
    retention: Words
    recipients: Words
    nobody: Words
    consent: Words
    explicit_consent: Words
    contract: Words
    #: The way to withdraw a consent; part of every receipt.
    withdraw: Words


class DataTable(_Table, frozen=True):
    """One kind of data: its DPV IRI and its name in each language."""

    dpv: Iri
    name: dict[str, Words]


class NoticeTable(_Table, frozen=True):
    """A purpose's own words in one language."""

    title: Words
    text: Words


class MemberTable(_Table, frozen=True):
    """One member of a family; `data` names the kind of data that it adds."""

    id: MemberName
    name: dict[str, Words]
    data: str | None = None
    #: The recipients of the data of a member of `share`; the member's own name unless given.
    recipients: tuple[Words, ...] = ()
    keeps_events: bool = False


class OwnMemberTable(MemberTable, frozen=True, kw_only=True):
    """A member that a shop adds to a family that is declared elsewhere."""

    family: Name


class PurposeTable(_Table, frozen=True):
    """One purpose, or the common part of the purposes of one family."""

    id: Name
    dpv: Iri
    legal_basis: LegalBasis
    data: tuple[str, ...]
    retention_days: Days
    review_by: date
    notice: dict[str, NoticeTable]
    optional: bool = True
    sensitive: bool = False
    adult_only: bool = False
    recipients: tuple[Words, ...] = ()
    aliases: tuple[Words, ...] = ()
    tcf: tuple[TcfPurpose, ...] = ()
    gpp: tuple[Words, ...] = ()
    consent_mode: tuple[ConsentModeSignal, ...] = ()
    #: True when events may be kept for it; for the built-in purposes their tags decide.
    keeps_events: bool = False


class FamilyTable(PurposeTable, frozen=True, kw_only=True):
    """A family of purposes: one for each member."""

    members: tuple[MemberTable, ...]


class PurposeFile(_Table, frozen=True):
    """The whole file; the parts that a shop's file leaves out are those of the file in the package."""

    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1)] = ()
    words: dict[str, Sentences] = {}
    data: dict[str, DataTable] = {}
    purpose: tuple[PurposeTable, ...] = ()
    family: tuple[FamilyTable, ...] = ()
    member: tuple[OwnMemberTable, ...] = ()


def mistake(what: str) -> InvalidInput:
    """Return the error for a purposes file that cannot be used."""
    advice = "Correct the named place; nothing was loaded."
    return InvalidInput(f"The purposes file cannot be used: {what}.", advice=advice)


def read_file(content: bytes) -> PurposeFile:
    """Read the bytes of a purposes file; raises `InvalidInput` that names the place of the first mistake."""
    try:
        return msgspec.convert(tomllib.loads(content.decode()), PurposeFile)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise mistake(str(error)) from error
