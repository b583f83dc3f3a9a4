"""The rooms of one open shop, built once from a store and its keys, and handed to every capability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assent.catalog import Catalog
from assent.consent import Controller, Ledger, Purposes, with_bits
from assent.decide import Decider, RecordQueue
from assent.engine.acts import ActCounts
from assent.intake import Intake
from assent.learn import SumsKeeper, Withdrawals
from assent.rights import Choices, Retention, Rights, RightsRooms
from assent.vault import AuditLog

if TYPE_CHECKING:
    from assent.store import Store
    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness
    from assent.terms.settings import Settings
    from assent.vault import Vault


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every room below the engine. A capability takes it as its only argument."""

    store: Store
    vault: Vault
    settings: Settings
    clock: Clock
    randomness: Randomness
    key_path: Path
    purposes: Purposes
    ledger: Ledger
    audit: AuditLog
    catalog: Catalog
    learning: SumsKeeper
    withdrawals: Withdrawals
    intake: Intake
    choices: Choices
    rights: Rights
    retention: Retention
    recorder: RecordQueue
    decider: Decider
    acts: ActCounts


def build(
    store: Store, vault: Vault, settings: Settings, clock: Clock, randomness: Randomness, key_path: Path
) -> Rooms:
    """Build every room on an open store."""
    own = Path(settings.purposes_file) if settings.purposes_file else None
    purposes = with_bits(store, Purposes.load(own), clock.now_ms())
    ledger = Ledger(purposes, clock, randomness, gpc_mode=settings.gpc, language=settings.language)
    audit = AuditLog(vault)
    catalog = Catalog(store, clock)
    learning = SumsKeeper(store, vault, ledger, clock, models_folder=settings.models_folder)
    controller = Controller(
        settings.controller_name, settings.controller_contact, settings.controller_address, settings.jurisdiction
    )
    withdrawals = Withdrawals(vault, ledger, learning)
    of_rights = RightsRooms(store, vault, ledger, audit, learning, withdrawals, controller)
    rooms = Rooms(
        store=store,
        vault=vault,
        settings=settings,
        clock=clock,
        randomness=randomness,
        key_path=key_path,
        purposes=purposes,
        ledger=ledger,
        audit=audit,
        catalog=catalog,
        learning=learning,
        withdrawals=withdrawals,
        intake=Intake(store, vault, ledger, audit, learning, withdrawals),
        choices=Choices(of_rights),
        rights=Rights(of_rights),
        retention=Retention(of_rights),
        recorder=RecordQueue(store),
        decider=Decider(
            vault=vault,
            ledger=ledger,
            catalog=catalog,
            learning=learning,
            clock=clock,
            randomness=randomness,
            language=settings.language,
        ),
        acts=ActCounts(),
    )
    rooms.rights.on_erased += [rooms.intake.drop_person, lambda _: rooms.decider.drop_people()]
    return rooms
