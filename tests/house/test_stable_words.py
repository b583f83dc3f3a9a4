"""What other programs read and what lies sealed in stores keeps its meaning: words and numbers written here by hand.

New ones may join them. One that changes or goes would be misread by a client, or in a history that is sealed already.
"""

from __future__ import annotations

import pytest

from assent.consent import ACTIONS, Purposes
from assent.decide.question import MODES
from assent.terms import events
from assent.terms.ids import IDENTIFIER_KINDS
from assent.terms.purposes import TAGS
from assent.terms.refusals import DROPS
from docs.render.vocabulary import every_error

ERRORS = {
    "invalid_input": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "key_file_exists": 409,
    "not_learned": 409,
    "too_large": 413,
    "unknown_purpose": 422,
    "corrupt": 500,
    "key_file_exposed": 500,
    "key_file_missing": 500,
    "not_enough_memory": 500,
    "permit_needed": 500,
    "store_newer": 500,
    "sum_overflow": 500,
    "busy": 503,
    "loading": 503,
    "spark_unavailable": 503,
    "store_unavailable": 503,
}

#: The bit under which a sealed record remembers that it may serve a purpose.
BITS = {"service": 0, "personalize": 1, "learn": 2, "message": 4, "measure": 8, "audit_fairness": 16}

#: The code of an act in a sealed history.
ACTS = {
    "Product Viewed": 1,
    "Product Clicked": 2,
    "Product Added to Wishlist": 3,
    "Product Added": 4,
    "Order Completed": 5,
}

DROPPED = {
    *("malformed", "too_large", "too_deep", "too_many_products", "unknown_type", "no_identifier"),
    *("identifier_invalid", "message_id_too_long", "bad_timestamp", "too_old", "in_future", "duplicate"),
    *("no_consent", "signal", "unreadable", "gpc", "suppressed", "alias_refused"),
}

#: Purposes and the legal basis each rests on; everything but the contract is asked for.
LAW = {
    "service": "contract",
    "personalize": "consent",
    "learn": "consent",
    "message": "consent",
    "measure": "consent",
    "audit_fairness": "explicit_consent",
    "sensitive:health": "explicit_consent",
    "sensitive:religion": "explicit_consent",
    "sensitive:belief": "explicit_consent",
    "sensitive:politics": "explicit_consent",
    "sensitive:sexuality": "explicit_consent",
    "sensitive:union": "explicit_consent",
    "sensitive:origin": "explicit_consent",
    "sensitive:biometric": "explicit_consent",
    "sensitive:genetic": "explicit_consent",
    "sensitive:finance": "explicit_consent",
}

WORDS = [
    ("errors and their statuses", {error.code: error.status for error in every_error()}, ERRORS),
    ("bits of purposes", {name: tag.bit for name, tag in TAGS.items()}, BITS),
    ("codes of acts", {each.event: each.code for each in events.ACTIONS}, ACTS),
    ("the code that is left out as bought", {"bought": events.BOUGHT}, {"bought": 5}),
    ("reasons of dropped events", dict.fromkeys(DROPS), dict.fromkeys(DROPPED)),
    ("legal bases", {each.id: each.legal_basis for each in Purposes.load().all()}, LAW),
    (
        "actions of the ledger",
        dict.fromkeys(ACTIONS),
        dict.fromkeys(("granted", "refused", "withdrawn", "expired", "invalidated")),
    ),
    ("modes of a question", dict.fromkeys(MODES), dict.fromkeys(("personal", "non_profiled"))),
    (
        "kinds of identifiers, in the order of looking up",
        {kind: place for place, kind in enumerate(IDENTIFIER_KINDS)},
        {"user_id": 0, "anonymous_id": 1, "email": 2},
    ),
]


@pytest.mark.parametrize(("now", "always"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_words_keep_their_meaning(now: dict, always: dict):
    """Each of them is there and means what it meant."""
    assert {name: now.get(name, "gone") for name in always} == always


def test_no_two_purposes_or_acts_share_a_place():
    """A bit or a code that is given twice could not be told apart in a sealed record."""
    bits = [tag.bit for tag in TAGS.values() if tag.bit]
    assert all(bit.bit_count() == 1 for bit in bits)
    assert len(set(bits)) == len(bits)
    codes = [each.code for each in events.ACTIONS]
    assert len(set(codes)) == len(codes)


def test_whatever_rests_on_consent_starts_off():
    """Only the contract needs no yes."""
    assert [each.id for each in Purposes.load().all() if not each.optional] == ["service"]
