"""The people asked for lately: kept open in memory for as long as nothing changed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.decide.history_view import HistoryView
from assent.store.topics import people
from assent.terms.ids import identifiers_named
from assent.terms.limits import limit
from assent.terms.purposes import Personalize
from assent.vault import no_history

if TYPE_CHECKING:
    from assent.consent import Ledger, State
    from assent.store import Session
    from assent.store.topics.versions import Versions
    from assent.terms.ids import PersonId
    from assent.terms.permits import Permit
    from assent.vault import HeldHistory, PersonKey, Vault


@dataclass(slots=True)
class CachedPerson:
    """One person as deciding needs them; good while the store's epoch is the one they were read at."""

    epoch: int
    person: PersonId
    status: str
    key: PersonKey | None
    #: The state of the purpose that deciding needs, by the ledger.
    said: State | None
    held: HeldHistory | None = None
    view: HistoryView | None = None


class PeopleCache:
    """The people asked for lately, by the name they were asked for. Call it under the decider's lock.

    Opened histories stay in memory, but only a permit minted for this very question gives them out, checked by the
    vault each time; whatever changes consents, keys or names raises the epoch, and what was read before is read anew.
    """

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        #: The empty history of everybody whose own may not be used.
        self.nobody = HistoryView(no_history())
        self._vault = vault
        self._ledger = ledger
        self._by_name: OrderedDict[str, CachedPerson] = OrderedDict()
        self._erasures = 0

    def clear(self) -> None:
        """Drop everybody, opened histories and keys too."""
        self._by_name.clear()
        self.nobody = HistoryView(no_history())
        self._vault.clear_keys()

    def follow(self, versions: Versions) -> None:
        """Drop everybody when somebody was erased since, by whatever process."""
        if versions.erasures != self._erasures:
            self.clear()
            self._erasures = versions.erasures

    def find(self, session: Session, name: str, versions: Versions) -> CachedPerson | None:
        """Return the person of a name, None for nobody; raises `InvalidInput` for what is no name."""
        known = self._by_name.get(name)
        if known is not None and known.epoch == versions.epoch:
            self._by_name.move_to_end(name)
            return known
        blinds = self._vault.blinds(identifiers_named(name))
        row = people.load(session, blinds)
        if row is None:
            return None
        key = self._vault.key(row.person, row.wrapped, row.key_id) if row.wrapped is not None else None
        said = self._ledger.state(session, row.person, Personalize)
        known = CachedPerson(versions.epoch, row.person, row.state, key, said)
        # A bare name may come to mean somebody else once a weightier kind of identifier has it.
        if len(blinds) == 1 or people.find(session, blinds[:1]) is not None:
            self._by_name[name] = known
            self._by_name.move_to_end(name)
            if len(self._by_name) > limit("known_people_max"):
                self._by_name.popitem(last=False)
        return known

    def history(
        self, session: Session, known: CachedPerson, permit: Permit[Personalize], versions: Versions
    ) -> HistoryView:
        """Return what the person's history says, under a permit; raises `PermitNeeded`, `Corrupt`."""
        key = known.key
        if key is None:
            return self.nobody
        held = self._vault.hold_history(session, permit, key, known.held, versions.records, versions.epoch)
        if known.view is None or held.serving is not known.view.history:
            known.view = HistoryView(held.serving)
        known.held = held
        return known.view
