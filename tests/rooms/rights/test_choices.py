"""Grant and withdraw: one call each, receipts that verify, and nothing left of what was withdrawn."""

from __future__ import annotations

import pytest

from assent.rights import ConsentChoice
from assent.store.topics import consents, people, records, sums
from assent.terms.errors import Conflict, InvalidInput, NotFound, UnknownPurpose
from assent.terms.ids import identifiers_named
from assent.terms.limits import limit
from assent.vault import rows_of, verify_signed


def test_granting_makes_somebody_known(house):
    """A first grant makes the person, with a key and one identifier, and gives a signed receipt for each purpose."""
    receipts = house.choose("user_id:ann", ["personalize", "learn"])
    assert len(receipts) == 2
    for receipt in receipts:
        assert verify_signed(receipt, house.vault.signer.public_key)
    person, _ = house.find("ann")
    with house.store.read() as session:
        assert [kind for kind, _ in people.identifiers(session, person)] == ["user_id"]
        assert {state.purpose for state in consents.states(session, person)} == {"personalize", "learn"}
        assert all(check.holds for check in house.audit.verify(session))


def test_evidence_is_sealed(house):
    """The evidence of a consent is kept under the person's own key."""
    house.choose("ann", ["learn"], evidence="signed on paper")
    person, key = house.find("ann")
    with house.store.read() as session:
        (entry,) = consents.entries(session, person)
    assert b"paper" not in entry.evidence
    assert key.open("ledger", 0, entry.evidence) == b"signed on paper"


def test_withdrawing_takes_out_what_served_the_purpose(full):
    """Withdrawing learning leaves the sum, the records that served it alone, and the history's mark, in one call."""
    person, key = full.find("ann")
    full.act("ann", ["ink"], purposes=2)
    full.choose("ann", withdraw=["learn"])
    with full.store.read() as session:
        assert sums.contribution(session, "recommender", person) is None
        assert [row.purposes for row in records.of(session, person)] == [1]
        assert {purposes for *_, purposes in rows_of(full.vault.export_history(session, key))} == {1}
        assert all(check.holds for check in full.learning.verify(session, rebuild=True))


def test_withdrawing_a_purpose_that_keeps_no_records(house):
    """A purpose without a bit of its own is withdrawn in the ledger, and nothing else is touched."""
    (purpose,) = [each.id for each in house.ledger.purposes.all() if each.optional and not each.tag.bit][:1]
    house.choose("ann", [purpose])
    (receipt,) = house.choose("ann", withdraw=[purpose])
    assert verify_signed(receipt)


def test_consenting_anew_lifts_the_suppression(full):
    """After an erasure the person is known again only once they agree anew, under another random id."""
    before, _ = full.find("bob")
    full.rights.erase("bob")
    blinds = full.vault.blinds(identifiers_named("bob"))
    with full.store.read() as session:
        assert people.suppressed(session, blinds)
    full.choose("bob", ["personalize"])
    after, _ = full.find("bob")
    assert after != before
    with full.store.read() as session:
        assert not people.suppressed(session, blinds)


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        (ConsentChoice("ann", (), (), None, "en"), InvalidInput),
        (ConsentChoice("ann", ("learn",), (), "x" * (limit("evidence_chars_max") + 1), "en"), InvalidInput),
        (ConsentChoice("ann", ("everything",), (), None, "en"), UnknownPurpose),
        (ConsentChoice("ann", (), ("learn",), None, "en"), NotFound),
        (ConsentChoice("", ("learn",), (), None, "en"), InvalidInput),
    ],
)
def test_what_cannot_be_chosen(house, choice, error):
    """Nothing, too much evidence, an unknown purpose, an unknown person: told, and nothing is written."""
    with pytest.raises(error):
        house.store.write(lambda session: house.choices.choose(session, choice))
    with house.store.read() as session:
        assert people.count(session) == 0


def test_nobody_chooses_while_being_erased(full):
    """Somebody who is being erased has no consent to change until the certificate is there."""
    person, _ = full.find("ann")
    full.store.write(lambda session: people.set_state(session, person, people.ERASING))
    with pytest.raises(Conflict):
        full.choose("ann", ["message"])
