"""A permit that was minted at another epoch of the store is checked against the ledger again here."""

from __future__ import annotations

from assent.store import Session
from assent.store.topics import consents, people
from assent.terms.permits import Permit
from assent.terms.purposes import Purpose


def in_force(session: Session, permit: Permit[Purpose]) -> bool:
    """Tell whether the ledger entry that gave a permit is its person's last word on the purpose, as `session` sees it.

    A newer yes needs a permit of its own, which names the entry that holds now.
    """
    if people.state(session, permit.person) != people.ACTIVE:
        return False
    said = consents.state(session, permit.person, permit.purpose.id)
    return said is not None and said.entry_id == permit.source
