"""The sealed record of a person; keys and their destruction; blind index; signatures; the tamper-evident log."""

from assent.vault.audit import Act, AuditLog, InclusionProof, Logged, Proven
from assent.vault.entries import leaf_of
from assent.vault.history import (
    HISTORY,
    act_of,
    actions_of,
    entries,
    limited,
    merge,
    no_history,
    pack,
    purposes_of,
    rows_of,
    unpack,
)
from assent.vault.keyfile import KeyFile
from assent.vault.records import HeldHistory, Opened
from assent.vault.seals import PersonKey, decision_number
from assent.vault.signatures import Signer, canonical, verify_signed
from assent.vault.vault import Vault, digest_api_key

__all__ = [
    "HISTORY",
    "Act",
    "AuditLog",
    "HeldHistory",
    "InclusionProof",
    "KeyFile",
    "Logged",
    "Opened",
    "PersonKey",
    "Proven",
    "Signer",
    "Vault",
    "act_of",
    "actions_of",
    "canonical",
    "decision_number",
    "digest_api_key",
    "entries",
    "leaf_of",
    "limited",
    "merge",
    "no_history",
    "pack",
    "purposes_of",
    "rows_of",
    "unpack",
    "verify_signed",
]
