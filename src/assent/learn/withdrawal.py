"""The effect of a withdrawal: every way by which a purpose ends for a person leads here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from assent.store import Session
from assent.terms.ids import PersonId
from assent.terms.purposes import Learn

if TYPE_CHECKING:
    from assent.consent import Ledger
    from assent.learn.sums_keeper import SumsKeeper
    from assent.vault import PersonKey, Vault

#: A room's own work when purposes (ids) end for a person, inside the same write job.
OnWithdrawn = Callable[[Session, PersonId, Collection[str]], None]


class Withdrawals:
    """Removes the data kept for purposes that ended, in the transaction that writes their end into the ledger."""

    def __init__(self, vault: Vault, ledger: Ledger, learning: SumsKeeper) -> None:
        """Change the sums of `learning` and the records that `vault` opens; `ledger` knows the purposes' bits."""
        self._vault = vault
        self._purposes = ledger.purposes
        self._learning = learning
        #: Rooms above add their own work; it is called after models, records and history have changed.
        self.on_withdrawn: list[OnWithdrawn] = []

    def carry_out(self, session: Session, person: PersonId, key: PersonKey, purposes: Collection[str]) -> None:
        """Remove a person from the data of these purposes, inside the caller's write job.

        The models forget the person if `learn` ended; records, trails and history lose each purpose; then hooks are
        called, and an error in one of them undoes the job. The caller has written the ledger's entries.
        """
        if not purposes:
            return
        if Learn.id in purposes:
            self._learning.forget_person(session, person, key)
        for purpose in purposes:
            bit = self._purposes.bit(purpose)
            if bit:
                self._vault.strip(session, person, key, bit)
        for hook in self.on_withdrawn:
            hook(session, person, purposes)
