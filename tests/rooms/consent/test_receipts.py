"""A receipt holds every mandatory field of ISO/IEC TS 27560:2023, in the Data Privacy Vocabulary's terms."""

import hashlib
import itertools
import uuid

import msgspec
import pytest

from assent.consent import ACTIONS, Controller, Ledger, Purposes, notice_hash
from assent.consent.purposes import BUILT_IN
from assent.store.topics import people
from assent.terms.clock import DAY_MS, to_text
from assent.terms.ids import PersonId
from assent.testing import START_MS
from tests.rooms.consent.own import recipients

ANN = PersonId(b"a" * 16)
SHOP = Controller("Corner Shop", "privacy@shop.example", "1 High Street, Cork", "IE")

RECORD = "dpv:hasRecordOfActivity"
PROCESS = (RECORD, "dpv:hasProcess")
STORED = (*PROCESS, "dpv:hasStorageCondition")
PARTY = (RECORD, "dpv:hasEntity", 0)
EVENT = (RECORD, "dpv:hasConsentStatus")

#: Mandatory fields by name, and where they are: DPV guide to ISO/IEC TS 27560:2023, table of fields.
MANDATORY = {
    "schema version of the receipt": ("dct:conformsTo",),
    "receipt id": ("dct:identifier",),
    "schema version": (RECORD, "dct:conformsTo"),
    "record id": (RECORD, "dct:identifier"),
    "pii principal id": (RECORD, "dpv:hasDataSubject", "dct:identifier"),
    "privacy notice": (RECORD, "dpv:hasNotice", "dct:description"),
    "language": (RECORD, "dpv:hasNotice", "dct:language"),
    "purpose": (*PROCESS, "dpv:hasPurpose", "@type"),
    "pii information": (*PROCESS, "dpv:hasPersonalData"),
    "pii type": (*PROCESS, "dpv:hasPersonalData", 0, "@type"),
    "pii controllers": (*PROCESS, "dpv:hasDataController"),
    "storage locations": (*STORED, 0, "dpv:hasLocation"),
    "retention period": (*STORED, 1, "dpv:hasDuration"),
    "jurisdiction": (*PROCESS, "dpv:hasJurisdiction"),
    "recipient third parties": (*PROCESS, "dpv:hasRecipient"),
    "withdrawal method": (*PROCESS, "dpv:hasConsentControl", "dct:description"),
    "party id": (*PARTY, "dct:identifier"),
    "party address": (*PARTY, "dpv:hasAddress"),
    "party name": (*PARTY, "dpv:hasName"),
    "party contact": (*PARTY, "dpv:hasContact"),
    "party type": (*PARTY, "@type"),
    "event time": (*EVENT, "dct:date"),
    "validity duration": (*EVENT, "dct:valid"),
    "entity id": (*EVENT, "dpv:isImplementedByEntity"),
    "event type": (*PROCESS, "dpv:hasLegalBasis"),
    "event state": (*EVENT, "@type"),
}


def at(document, path):
    """Follow a path of keys and positions."""
    for step in path:
        document = document[step]
    return document


@pytest.fixture
def ledger(clock, randomness):
    """A ledger with one recipient."""
    return Ledger(Purposes.read(recipients(acme="Acme Ltd")), clock, randomness)


@pytest.fixture
def known(store):
    """A store that knows Ann."""
    store.write(lambda session: people.add(session, ANN, START_MS))
    return store


def receipt_of(store, ledger, purpose="learn", action="granted", book=None, **more):
    """Record one entry and return it with its receipt, as `book` writes it."""
    entry = store.write(lambda session: ledger.record(session, ANN, purpose, action, "api", **more))
    with store.read() as session:
        return entry, (book or ledger).receipt(session, entry, SHOP)


def test_every_mandatory_field_is_there(known, ledger):
    """Whatever was said about whatever purpose, no mandatory field is absent or empty."""
    for purpose, action in itertools.product(ledger.purposes.optional, sorted(ACTIONS)):
        _, receipt = receipt_of(known, ledger, purpose, action)
        for name, path in MANDATORY.items():
            assert at(receipt, path), (purpose, action, name)
        assert msgspec.json.decode(msgspec.json.encode(receipt)) == receipt


def test_the_fields_say_what_happened(known, ledger):
    """Ids, times, words and parties are those of the entry, the notice and the controller."""
    entry, receipt = receipt_of(known, ledger, "share:acme", language="de")
    declared = ledger.purposes.get("share:acme")
    record = receipt[RECORD]
    assert receipt["dct:identifier"] == record["dct:identifier"] == entry.entry_id
    assert receipt["dct:language"] == "de"
    assert receipt["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#receipt"
    assert uuid.UUID(record["dpv:hasDataSubject"]["@id"]).bytes == ANN
    assert at(receipt, (*PROCESS, "dpv:hasPurpose")) == {
        "@type": "https://w3id.org/dpv#SellDataToThirdParties",
        "dct:identifier": "share:acme",
        "dct:title": "Weitergeben an Acme Ltd",
    }
    assert at(receipt, (*PROCESS, "dpv:hasRecipient")) == [
        "#controller",
        {"@type": "dpv:ThirdParty", "dpv:hasName": "Acme Ltd"},
    ]
    assert at(receipt, (*STORED, 0, "dpv:hasLocation")) == "IE"
    assert at(receipt, (*STORED, 1, "dpv:hasDuration")) == f"P{declared.retention_days}D"
    assert at(receipt, (*PARTY, "dpv:hasName")) == "Corner Shop"
    event = at(receipt, EVENT)
    assert event["@type"] == "dpv:ConsentGiven"
    assert event["dct:date"] == to_text(START_MS)
    assert event["dct:valid"] == f"{to_text(START_MS)}/{to_text(START_MS + 365 * DAY_MS)}"
    assert event["dct:source"] == "api"
    assert event["dpv:isImplementedByEntity"] == record["dpv:hasDataSubject"]["@id"]


STATUS = {
    "granted": ("dpv:ConsentGiven", True),
    "refused": ("dpv:ConsentRefused", True),
    "withdrawn": ("dpv:ConsentWithdrawn", True),
    "expired": ("dpv:ConsentExpired", False),
    "invalidated": ("dpv:ConsentInvalidated", False),
}


def test_each_action_has_its_status_and_who_did_it(known, ledger):
    """The person gives, refuses and withdraws; time and new words are the shop's doing."""
    assert STATUS.keys() == ACTIONS
    for action, (status, by_person) in STATUS.items():
        _, receipt = receipt_of(known, ledger, action=action)
        event = at(receipt, EVENT)
        assert event["@type"] == status
        assert event["dct:valid"].endswith("/..") is (action != "granted")
        subject = receipt[RECORD]["dpv:hasDataSubject"]["@id"]
        assert event["dpv:isImplementedByEntity"] == (subject if by_person else "#controller")


def test_the_notice_can_be_checked_from_the_receipt_alone(known, ledger):
    """The words in the receipt have the hash in the receipt."""
    _, receipt = receipt_of(known, ledger)
    notice = receipt[RECORD]["dpv:hasNotice"]
    words = notice["dct:description"]
    assert words == ledger.purposes.get("learn").notice("en").words
    assert notice["dct:identifier"] == f"sha256:{notice_hash('en', words)}"
    assert notice["dct:identifier"] == "sha256:" + hashlib.sha256(f"en\n{words}".encode()).hexdigest()


def test_sensitive_purposes_are_marked_as_explicit(known, ledger):
    """The event type tells an explicit yes from a plain one."""
    explicit, plain = receipt_of(known, ledger, "sensitive:health")[1], receipt_of(known, ledger)[1]
    assert at(explicit, (*PROCESS, "dpv:hasLegalBasis")) == "dpv:ExplicitlyExpressedConsent"
    assert at(plain, (*PROCESS, "dpv:hasLegalBasis")) == "dpv:ExpressedConsent"


def test_the_same_entry_gives_the_same_receipt_at_any_time(known, ledger, clock):
    """A receipt does not depend on when it is written."""
    entry, first = receipt_of(known, ledger)
    clock.move(days=900)
    with known.read() as session:
        assert ledger.receipt(session, entry, SHOP) == first
        assert ledger.receipt(session, ledger.entry(session, entry.entry_id), SHOP) == first


def test_the_place_of_storage_may_be_told(known, ledger):
    """Data may be kept elsewhere than under the controller's law."""
    entry, _ = receipt_of(known, ledger)
    abroad = Controller("Corner Shop", "privacy@shop.example", "1 High Street, Cork", "IE", storage="DE")
    with known.read() as session:
        receipt = ledger.receipt(session, entry, abroad)
    assert at(receipt, (*STORED, 0, "dpv:hasLocation")) == "DE"
    assert at(receipt, (*PROCESS, "dpv:hasJurisdiction")) == "IE"


def test_a_receipt_for_old_words_keeps_them_and_claims_nothing_else(known, ledger, clock, randomness, tmp_path):
    """After a notice changed or a recipient left, the old receipt shows the old words and no fact of today."""
    path = tmp_path / "purposes.toml"
    path.write_text(BUILT_IN.read_text().replace("retention_days = 730", "retention_days = 30"))
    today = Ledger(Purposes.load(path), clock, randomness)
    for purpose in ("learn", "share:acme"):
        entry, receipt = receipt_of(known, ledger, purpose, book=today)
        for name, place in MANDATORY.items():
            assert at(receipt, place), name
        assert receipt[RECORD]["dpv:hasNotice"]["dct:description"] == ledger.purposes.get(purpose).notice("en").words
        assert at(receipt, (*STORED, 1, "dpv:hasDuration")) == "As stated in the notice."
        assert at(receipt, (*PROCESS, "dpv:hasPurpose")) == {"@type": "dpv:Purpose", "dct:identifier": purpose}
        assert "P30D" not in str(receipt)
        assert entry.notice_hash in receipt[RECORD]["dpv:hasNotice"]["dct:identifier"]


def test_a_receipt_survives_a_lost_notice_and_an_unknown_action(ledger, store):
    """What cannot be found is left empty or called unknown, never made up."""
    store.write(lambda session: people.add(session, ANN, START_MS))
    entry = store.write(lambda session: ledger.record(session, ANN, "learn", "granted", "api"))
    odd = entry._replace(action="delegated", notice_hash="0" * 64)
    with store.read() as session:
        receipt = ledger.receipt(session, odd, SHOP)
    assert receipt[RECORD]["dpv:hasNotice"]["dct:description"] == ""
    assert at(receipt, EVENT)["@type"] == "dpv:ConsentUnknown"
