"""Answers about one person: consents, receipts, exports, certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PurposeState:
    """The answer whether a person's data may serve one purpose now, and a code of `terms.refusals` if not."""

    allowed: bool
    why_not: str | None
    since: str | None = None
    until: str | None = None
    source: str | None = None
    #: The receipt of the ledger entry that says so.
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the consent ledger; `notice` is the hash of the words that the person saw."""

    receipt: str
    purpose: str
    action: str
    at: str
    until: str | None
    source: str
    notice: str
    language: str


@dataclass(frozen=True, slots=True)
class Consents:
    """The consents of a person: every purpose by its id, and the ledger entries behind it, oldest first."""

    purposes: Mapping[str, PurposeState]
    entries: Sequence[ConsentEntry]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A consent receipt (ISO/IEC TS 27560 fields as DPV JSON-LD) with an Ed25519 signature over it."""

    payload: Mapping[str, Any]
    signature: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Export:
    """All data on one person: the rights of access and portability (GDPR articles 15 and 20)."""

    format: str
    made: str
    #: The random id, hexadecimal.
    person: str
    controller: Mapping[str, Any]
    identifiers: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    consents: Consents
    receipts: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]
    #: For each model the person's contribution to its sum.
    models: Mapping[str, Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]
    also_held: Sequence[str]
    purposes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof of one erasure: what was removed, the digests, the log proof, and a signature over all of it."""

    body: Mapping[str, Any]
    signature: str
    public_key: str
