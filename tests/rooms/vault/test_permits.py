"""A permit opens only while the entry that gave it holds: withdrawn by whomever, it opens nothing any more."""

from __future__ import annotations

import pytest

from assent.consent import Ledger, built_in
from assent.store import Store
from assent.store.topics import meta, people
from assent.terms.errors import PermitNeeded
from assent.terms.permits import Permit
from assent.terms.purposes import Learn, Personalize
from assent.testing import FixedClock, SeededRandomness
from tests.rooms.vault.conftest import Shop

P, L = Personalize.bit, Learn.bit


@pytest.fixture
def ledger(clock: FixedClock, randomness: SeededRandomness) -> Ledger:
    """Return a ledger of the built-in purposes."""
    return Ledger(built_in(), clock, randomness)


@pytest.fixture
def key(shop: Shop, ledger: Ledger):
    """Return the key of Ann, who has a history and agreed to both purposes."""
    key = shop.join("ann")
    shop.record(1, key, [{"purposes": P | L}], [(1, 1, 1, P | L)])
    for purpose in ("personalize", "learn"):
        say(shop.store, ledger, key, purpose, "granted")
    return key


def say(store, ledger, key, purpose, action):
    """Write one entry into the ledger."""
    store.write(lambda session: ledger.record(session, key.person, purpose, action, "api"))


def minted(shop, ledger, key, tag=Personalize):
    """Return a permit that was minted in a transaction of its own."""
    with shop.store.read() as session:
        permit = ledger.may(session, key.person, tag)
    assert isinstance(permit, Permit)
    return permit


def doors(shop, key, held=None):
    """Return every way to open something under a permit, each giving how much it opened."""
    vault = shop.vault
    return {
        "history": lambda session, permit: len(vault.open_history(session, permit, key)),
        "held history": lambda session, permit: len(vault.hold_history(session, permit, key, held, 1).serving),
        "histories": lambda session, permit: len(vault.open_histories(session, [(permit, key)], permit.purpose)[0]),
        "records": lambda session, permit: len(vault.open_records(session, permit, key)),
    }


def opened(shop, key, permit, held=None):
    """Return which doors a permit opens now."""
    found = set()
    for name, door in doors(shop, key, held).items():
        with shop.store.read() as session:
            try:
                assert door(session, permit) == 1
            except PermitNeeded:
                continue
            found.add(name)
    return found


def test_a_withdrawal_holds_whatever_was_minted_before(shop, ledger, key):
    """A permit that opened every door opens none after the withdrawal, not even what lies open in memory."""
    permit = minted(shop, ledger, key)
    with shop.store.read() as session:
        held = shop.vault.hold_history(session, permit, key, None, 1)
    assert opened(shop, key, permit, held) == set(doors(shop, key))
    say(shop.store, ledger, key, "personalize", "withdrawn")
    assert opened(shop, key, permit, held) == set()
    with shop.store.read() as session, pytest.raises(PermitNeeded, match="taken back"):
        shop.vault.open_history(session, permit, key)


def test_a_withdrawal_in_another_process_holds(shop, ledger, key, clock):
    """A store opened elsewhere, with a ledger of its own, takes back what was minted here."""
    permit = minted(shop, ledger, key)
    with Store.open(shop.store.url) as elsewhere:
        say(elsewhere, Ledger(built_in(), clock, SeededRandomness(9)), key, "personalize", "withdrawn")
    assert opened(shop, key, permit) == set()


def test_a_change_of_something_else_takes_nothing_back(shop, ledger, key):
    """The epoch moves with every change of consent; a permit whose own entry still holds goes on opening."""
    permit = minted(shop, ledger, key)
    say(shop.store, ledger, key, "message", "granted")
    say(shop.store, ledger, key, "learn", "withdrawn")
    with shop.store.read() as session:
        assert meta.epoch(session) > permit.epoch
    assert opened(shop, key, permit) == set(doors(shop, key))
    assert opened(shop, key, minted(shop, ledger, key)) == set(doors(shop, key))


def test_a_newer_yes_needs_a_newer_permit(shop, ledger, key):
    """After no and yes again the old permit names an entry that no longer holds."""
    permit = minted(shop, ledger, key)
    say(shop.store, ledger, key, "personalize", "withdrawn")
    say(shop.store, ledger, key, "personalize", "granted")
    assert opened(shop, key, permit) == set()
    assert opened(shop, key, minted(shop, ledger, key)) == set(doors(shop, key))


def test_an_erasure_that_began_takes_every_permit_back(shop, ledger, key):
    """Nothing opens for somebody who is being erased."""
    permit = minted(shop, ledger, key)

    def begin(session):
        people.set_state(session, key.person, "erasing")
        meta.bump_epoch(session)

    shop.store.write(begin)
    assert opened(shop, key, permit) == set()


def test_a_permit_that_the_ledger_never_gave_opens_nothing_at_another_epoch(shop, key, clock):
    """A made-up permit for a purpose that nobody decided on is asked about, and the ledger knows nothing of it."""
    shop.store.write(meta.bump_epoch)
    made_up = Permit(shop.join("ben").person, Personalize, clock.now_ms() + 1000, "granted", "entry", 0)
    with shop.store.read() as session, pytest.raises(PermitNeeded):
        shop.vault.open_history(session, made_up, shop.key(made_up.person))


def test_an_expired_permit_is_refused_whatever_the_epoch(shop, ledger, key, clock):
    """Time ends a permit even where nothing changed."""
    permit = minted(shop, ledger, key)
    clock.move(seconds=30)
    assert opened(shop, key, permit) == set()


def test_the_epoch_of_the_caller_saves_the_question(shop, ledger, key):
    """A caller that read the epoch with something else hands it over; another one than the permit's asks the ledger."""
    permit = minted(shop, ledger, key)
    say(shop.store, ledger, key, "personalize", "withdrawn")
    with shop.store.read() as session:
        now = meta.epoch(session)
        with pytest.raises(PermitNeeded):
            shop.vault.hold_history(session, permit, key, None, 1, now)
