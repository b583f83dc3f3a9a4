"""Nothing opens without a permit for the person, the purpose and the moment."""

from __future__ import annotations

import pytest

from assent.terms.errors import PermitNeeded
from assent.terms.permits import Refusal
from assent.terms.purposes import Learn, Personalize, Service
from assent.testing import FixedClock
from tests.rooms.vault.histories import BOB, P, deed, permit


@pytest.mark.parametrize(
    "wrong",
    [
        Refusal(Personalize, "withdrawn", "entry"),
        permit(person=BOB),
        permit(seconds=0),
        permit(seconds=-5),
        permit(purpose=Service),
        None,
    ],
)
def test_nothing_opens_without_a_matching_permit(shop, wrong):
    """A refusal, another person's permit, an expired one, one that keeps no records: nothing is opened."""
    key = shop.join("ann")
    shop.record(1, key, [{"purposes": P}], [deed(item=1)])
    with shop.store.read() as session:
        for door in (shop.vault.open_history, shop.vault.open_records):
            with pytest.raises(PermitNeeded):
                door(session, wrong, key)


def test_the_purpose_is_checked_where_it_is_named(shop):
    """A permit for one purpose does not open for another that the caller names."""
    key = shop.join("ann")
    with shop.store.read() as session:
        assert len(shop.vault.open_history(session, permit(), key, Personalize)) == 0
        with pytest.raises(PermitNeeded):
            shop.vault.open_history(session, permit(), key, Learn)


def test_a_permit_runs_out_while_it_is_held(shop, clock: FixedClock):
    """What opened a moment ago does not open once the permit has expired."""
    key = shop.join("ann")
    held = permit()
    with shop.store.read() as session:
        shop.vault.open_records(session, held, key)
        clock.move(seconds=30)
        with pytest.raises(PermitNeeded, match="expired"):
            shop.vault.open_records(session, held, key)
