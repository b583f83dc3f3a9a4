"""How long a consent and a permit stand, to the millisecond, as numbers written here."""

from __future__ import annotations

from assent.consent import Ledger, Purposes
from assent.store import Store
from assent.store.topics import people
from assent.terms.ids import PersonId
from assent.terms.permits import Permit, Refusal
from assent.terms.purposes import Learn
from assent.testing import START_MS, FixedClock, SeededRandomness

ANN = PersonId(b"a" * 16)
YEAR_MS = 31_536_000_000


def asked(store: Store, ledger: Ledger) -> Permit[Learn] | Refusal:
    """Ask whether Ann may be learned from."""
    with store.read() as session:
        return ledger.may(session, ANN, Learn)


def test_a_consent_stands_for_a_year_and_a_permit_for_thirty_seconds(
    store: Store, clock: FixedClock, randomness: SeededRandomness
):
    """Up to the last millisecond of the year there is a permit; at its end the consent has expired."""
    ledger = Ledger(Purposes.load(), clock, randomness)
    store.write(lambda session: people.add(session, ANN, START_MS))
    store.write(lambda session: ledger.record(session, ANN, "learn", "granted", "api"))
    clock.at_ms = START_MS + YEAR_MS - 30_001
    permit = asked(store, ledger)
    assert isinstance(permit, Permit)
    assert permit.expires_ms == clock.at_ms + 30_000
    clock.at_ms = START_MS + YEAR_MS - 1
    permit = asked(store, ledger)
    assert isinstance(permit, Permit)
    # no permit outlives the consent that it rests on
    assert permit.expires_ms == START_MS + YEAR_MS
    with store.read() as session:
        assert ledger.people_granting(session, Learn) == [ANN]
    clock.at_ms = START_MS + YEAR_MS
    refusal = asked(store, ledger)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "expired"
    with store.read() as session:
        assert ledger.people_granting(session, Learn) == []
