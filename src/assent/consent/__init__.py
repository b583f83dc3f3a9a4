"""Consent: purposes, notices, signals and the ledger; the only room that mints permits."""

from assent.consent.bits import with_bits
from assent.consent.contexts import read_signals
from assent.consent.ledger import Ledger
from assent.consent.notices import Notice, notice_hash
from assent.consent.permits import in_force
from assent.consent.purpose import DataKind, DeclaredPurpose
from assent.consent.purposes import Meaning, Purposes, built_in
from assent.consent.receipts import Controller, Entry
from assent.consent.signals import NO_SIGNALS, Conflict, Signals
from assent.consent.states import (
    ACTIONS,
    Action,
    Change,
    EventConsent,
    State,
    agree,
    allowed_bits,
    decide_event,
    expiry_ms,
)

__all__ = [
    "ACTIONS",
    "NO_SIGNALS",
    "Action",
    "Change",
    "Conflict",
    "Controller",
    "DataKind",
    "DeclaredPurpose",
    "Entry",
    "EventConsent",
    "Ledger",
    "Meaning",
    "Notice",
    "Purposes",
    "Signals",
    "State",
    "agree",
    "allowed_bits",
    "built_in",
    "decide_event",
    "expiry_ms",
    "in_force",
    "notice_hash",
    "read_signals",
    "with_bits",
]
