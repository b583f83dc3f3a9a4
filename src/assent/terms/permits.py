"""Consent is a value you must hold: a `Permit` for one person and one purpose, or a `Refusal` that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from assent.terms.ids import PersonId
from assent.terms.purposes import Purpose

P_co = TypeVar("P_co", bound=Purpose, covariant=True)


@dataclass(frozen=True, slots=True)
class Permit(Generic[P_co]):
    """Leave to use one person's records for one purpose until `expires_ms`; minted by the consent room only.

    `epoch` is that of the store when consent was asked. Where a record is opened at another epoch, consent is asked
    again.
    """

    person: PersonId
    purpose: type[P_co]
    expires_ms: int
    reason: str
    #: Which ledger entry gave it: the entry's public id, also the receipt's id.
    source: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave: a value, not an error; `reason` is a stable word such as `not_granted`, `withdrawn` or `gpc`."""

    purpose: type[Purpose]
    reason: str
    source: str
