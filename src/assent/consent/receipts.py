"""Receipts: every mandatory field of ISO/IEC TS 27560:2023, as JSON-LD in the Data Privacy Vocabulary (DPV).

Field mapping: DPV guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023", final report of 2024-08-01. This
room writes a receipt; the vault signs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assent.consent.purpose import DeclaredPurpose
from assent.store.topics.consents import LedgerRow
from assent.terms.clock import to_text

#: An entry of the ledger is its row: purpose, action, time, source, and the notice that it answers.
Entry = LedgerRow

CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560"

_STATUS = {
    "granted": "dpv:ConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
    "invalidated": "dpv:ConsentInvalidated",
}

#: The value of a field of a notice that was replaced since: its words are in the receipt.
_AS_NOTICED = "As stated in the notice."


@dataclass(frozen=True, slots=True)
class Controller:
    """The controller of the processing: name, contact, postal address, and jurisdiction.

    `storage` is the place of the data, the jurisdiction unless given.
    """

    name: str
    contact: str
    address: str
    jurisdiction: str
    storage: str = ""


def receipt(entry: Entry, controller: Controller, declared: DeclaredPurpose | None, words: str) -> dict[str, Any]:
    """Write the receipt of one entry; `words` is the notice that the entry answers.

    `declared` describes the purpose as that notice did, None when the notice was replaced since: then the receipt
    states what the notice says in its words alone, and never today's facts about yesterday's consent.
    """
    record = f"urn:uuid:{entry.entry_id}"
    person = bytes(entry.person)
    principal = f"urn:uuid:{UUID(bytes=person)}"
    party = "#controller"
    by_person = entry.action in {"granted", "refused", "withdrawn"}
    return {
        "@context": dict(CONTEXT),
        "@id": f"{record}#receipt",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": f"{_SCHEMA}#receipt",
        "dct:identifier": entry.entry_id,
        "dct:language": entry.language,
        "dpv:hasRecordOfActivity": {
            "@id": record,
            "@type": "dpv:ConsentRecord",
            "dct:conformsTo": f"{_SCHEMA}#record",
            "dct:identifier": entry.entry_id,
            "dpv:hasDataSubject": {"@id": principal, "@type": "dpv:Consumer", "dct:identifier": person.hex()},
            "dpv:hasNotice": {
                "@type": "dpv:ConsentNotice",
                "dct:identifier": f"sha256:{entry.notice_hash}",
                "dct:language": entry.language,
                "dct:description": words,
            },
            "dpv:hasEntity": [
                {
                    "@id": party,
                    "@type": "dpv:DataController",
                    "dct:identifier": controller.name,
                    "dpv:hasName": controller.name,
                    "dpv:hasAddress": controller.address,
                    "dpv:hasContact": controller.contact,
                }
            ],
            "dpv:hasProcess": _process(entry, controller, declared, party),
            "dpv:hasConsentStatus": {
                "@type": _STATUS.get(entry.action, "dpv:ConsentUnknown"),
                "dct:date": to_text(entry.at_ms),
                "dct:valid": _validity(entry),
                "dct:source": entry.source,
                "dpv:isImplementedByEntity": principal if by_person else party,
            },
        },
    }


def _process(entry: Entry, controller: Controller, declared: DeclaredPurpose | None, party: str) -> dict[str, Any]:
    """Write the processing section: purpose, data, place, retention, recipients, and how to withdraw."""
    purpose: dict[str, Any] = {"@type": "dpv:Purpose", "dct:identifier": entry.purpose}
    explicit = declared is not None and declared.legal_basis == "explicit_consent"
    location = controller.storage or controller.jurisdiction
    if declared is None:
        data: list[dict[str, str]] = [{"@type": "dpv:PersonalData", "dct:title": _AS_NOTICED}]
        duration, withdraw = _AS_NOTICED, _AS_NOTICED
        others: tuple[str, ...] = (_AS_NOTICED,)
    else:
        purpose |= {"@type": declared.dpv, "dct:title": declared.notices[entry.language].title}
        data = [{"@type": kind.dpv, "dct:title": kind.names[entry.language]} for kind in declared.data]
        duration = f"P{declared.retention_days}D"
        others = declared.recipients
        withdraw = declared.withdraw[entry.language]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": purpose,
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent" if explicit else "dpv:ExpressedConsent",
        "dpv:hasPersonalData": data,
        "dpv:hasDataController": party,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": location},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": duration},
        ],
        "dpv:hasJurisdiction": controller.jurisdiction,
        "dpv:hasRecipient": [party, *({"@type": "dpv:ThirdParty", "dpv:hasName": name} for name in others)],
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": withdraw,
            "dpv:hasContact": controller.contact,
        },
    }


def _validity(entry: Entry) -> str:
    """Return the time for which the entry is valid, as an ISO 8601 interval; open-ended when nothing ends it."""
    until = ".." if entry.expires_ms is None else to_text(entry.expires_ms)
    return f"{to_text(entry.at_ms)}/{until}"
