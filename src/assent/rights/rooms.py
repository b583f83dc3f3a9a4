"""The rooms below rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.consent import Controller, Ledger
    from assent.learn import SumsKeeper, Withdrawals
    from assent.store import Store
    from assent.vault import AuditLog, Vault


@dataclass(frozen=True, slots=True)
class RightsRooms:
    """The rooms that every right needs, and the controller of receipts and exports."""

    store: Store
    vault: Vault
    ledger: Ledger
    audit: AuditLog
    learning: SumsKeeper
    withdrawals: Withdrawals
    controller: Controller
