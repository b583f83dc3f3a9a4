"""`engine.people`: what one person agreed to, what is held on them, and their leaving."""

from dataclasses import asdict

import pytest

from assent import NotFound, UnknownPurpose


def test_a_choice_holds_with_the_next_call(shop):
    """A withdrawal stops the purpose, a grant starts it, and each gives a receipt."""
    (receipt,) = shop.people.consent("ana", withdraw=["personalize"])
    assert not shop.decide("ana").personal
    state = shop.people.consents("ana").purposes["personalize"]
    assert not state.allowed
    assert state.why_not == "withdrawn"
    assert state.receipt == receipt.payload["dct:identifier"]
    shop.people.consent("ana", grant=["personalize"], evidence="said so by telephone")
    assert shop.people.consents("ana").purposes["personalize"].allowed


def test_the_ledger_stands_behind_what_is_told(shop):
    """Entries are told oldest first."""
    shop.people.consent("ana", withdraw=["learn"])
    entries = shop.people.consents("ana").entries
    assert [each.at for each in entries] == sorted(each.at for each in entries)
    assert (entries[-1].purpose, entries[-1].action) == ("learn", "withdrawn")


def test_an_export_holds_what_is_held(shop):
    """Events, history, consents, and what the model holds; the flat act is the same one."""
    held = shop.people.export("ana")
    assert len(held.events) == 4
    assert held.consents.purposes["learn"].allowed
    assert held.models
    assert shop.export("user_id:ana").person == held.person


def test_who_leaves_is_gone_and_the_certificate_holds(shop):
    """Nobody is known by the name, the sum has one person less, and an altered certificate does not hold."""
    before = shop.server.facts().model.people
    certificate = asdict(shop.people.erase("ana"))
    assert shop.server.facts().model.people == before - 1
    assert shop.people.verify_certificate(certificate).holds
    body = {**certificate["body"], "requested": "2020-01-01T00:00:00.000Z"}
    assert not shop.people.verify_certificate({**certificate, "body": body}).holds
    assert not shop.decide("ana").personal


@pytest.mark.parametrize("act", ["consents", "export", "erase"])
def test_nobody_is_known_by_an_unknown_name(shop, act):
    """The error does not repeat the name."""
    with pytest.raises(NotFound) as caught:
        getattr(shop.people, act)("somebody")
    assert "somebody" not in str(caught.value)


def test_a_purpose_that_is_not_declared_is_refused(shop):
    """The whole choice is refused, the declared part as well."""
    with pytest.raises(UnknownPurpose):
        shop.people.consent("ana", grant=["measure", "world_domination"])
    assert not shop.people.consents("ana").purposes["measure"].allowed


def test_what_is_both_granted_and_withdrawn_is_withdrawn(shop):
    """The more careful reading holds, once for each purpose, however often it is named."""
    receipts = shop.people.consent("crowd-1", grant=["learn", "measure", "measure"], withdraw=["learn", "learn"])
    assert len(receipts) == 2
    purposes = shop.people.consents("crowd-1").purposes
    assert (purposes["learn"].why_not, purposes["measure"].allowed) == ("withdrawn", True)
