"""Consent is a value you must hold: a `Permit` for one person and one purpose, or a `Refusal` with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from assent.terms.ids import PersonId
from assent.terms.purposes import Purpose

P_co = TypeVar("P_co", bound=Purpose, covariant=True)


@dataclass(frozen=True, slots=True)
class Permit(Generic[P_co]):
    """A permit to use one person's records for one purpose until `expires_ms`; minted by the consent room only.

    `epoch` is that of the store when consent was asked. Where a record is opened at another epoch, consent is asked
    again.
    """

    person: PersonId
    purpose: type[P_co]
    expires_ms: int
    reason: str
    #: The public id of the ledger entry that gave it, also the id of the receipt.
    source: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of consent: a value, not an error; `reason` is a code such as `not_granted`, `withdrawn` or `gpc`."""

    purpose: type[Purpose]
    reason: str
    source: str
