"""The answer about a purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PurposeText:
    """One purpose with the words that people are asked with; `title` and `text` in the first language."""

    id: str
    title: str
    text: str
    #: By language: title, text, and the hash of both.
    notices: Mapping[str, Mapping[str, str]]
    optional: bool
    legal_basis: str
    dpv: str
    data: Sequence[Mapping[str, Any]]
    retention_days: int
    recipients: Sequence[str]
    sensitive: bool
    adult_only: bool
    aliases: Sequence[str]
    #: IAB TCF purposes, IAB GPP fields and Consent Mode signals that mean it.
    mappings: Mapping[str, Sequence[Any]]
    review_by: str
