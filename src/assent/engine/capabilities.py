"""The one list of capabilities: each noun with its acts, and the answers that they give.

A new capability is its own files and its lines here. Surfaces offer each noun under the same name: `engine.<noun>`,
`web/api/<noun>.py`, `cli/commands/<noun>.py`, `docs/guide/<noun>.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.engine import catalog, decisions, events, imports, keys, people, purposes, server
from assent.terms.answers.catalog import Item, ItemPage
from assent.terms.answers.decisions import Because, Decision, NotUsed, Suggestion
from assent.terms.answers.events import TakenIn
from assent.terms.answers.imports import Imported
from assent.terms.answers.models import TrainReport
from assent.terms.answers.people import Certificate, ConsentEntry, Consents, Export, PurposeState, Receipt
from assent.terms.answers.proofs import Check, Verification
from assent.terms.answers.purposes import PurposeText
from assent.terms.answers.server import Health, Metrics, ModelFacts, StoreFacts

if TYPE_CHECKING:
    from assent.engine.acts import Act
    from assent.engine.rooms import Rooms

#: The answers that acts give; `from assent import Decision` finds them.
__all__ = [
    "Because",
    "Certificate",
    "Check",
    "ConsentEntry",
    "Consents",
    "Decision",
    "Export",
    "Health",
    "Imported",
    "Item",
    "ItemPage",
    "Metrics",
    "ModelFacts",
    "NotUsed",
    "PurposeState",
    "PurposeText",
    "Receipt",
    "StoreFacts",
    "Suggestion",
    "TakenIn",
    "TrainReport",
    "Verification",
]


class Capabilities:
    """Every capability of an open shop under its noun."""

    def __init__(self, rooms: Rooms) -> None:
        self.catalog: Final = catalog.CatalogActs(rooms)
        self.decisions: Final = decisions.DecisionActs(rooms)
        self.events: Final = events.EventActs(rooms)
        self.imports: Final = imports.ImportActs(rooms)
        self.keys: Final = keys.KeyActs(rooms)
        self.people: Final = people.PeopleActs(rooms)
        self.purposes: Final = purposes.PurposeActs(rooms)
        self.server: Final = server.ServerActs(rooms)


#: Every act that a key may be allowed.
ACTS: tuple[Act, ...] = (*catalog.ACTS, *decisions.ACTS, *events.ACTS, *people.ACTS, *server.ACTS)
