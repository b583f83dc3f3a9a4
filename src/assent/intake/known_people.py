"""Who is known by which name: people found by their identifiers, remembered until consent, keys or erasures change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from assent.intake.dropped import Dropped
from assent.store.topics import people
from assent.terms.ids import IDENTIFIER_KINDS, PERSON_ID_BYTES, Identifier, PersonId
from assent.terms.refusals import ALIAS_REFUSED, SUPPRESSED

if TYPE_CHECKING:
    from assent.consent import Ledger, Signals, State
    from assent.intake.parse import Group
    from assent.store import Session
    from assent.vault import PersonKey, Vault

#: A kind of identifier and its plain value; it lives in memory only.
Name = tuple[str, str]

#: How many names are remembered before all are dropped, and how many digests of names.
NAMES_MAX = 100_000

USER, DEVICE, EMAIL = IDENTIFIER_KINDS


class LastSettled(NamedTuple):
    """What was settled last, where it changed nothing: by which states and signals, until when, for which purposes."""

    states: Mapping[str, State]
    signals: Signals
    until_ms: int
    mask: int


@dataclass(slots=True, eq=False)
class Known:
    """One person as intake needs them: id, wrapped key, and what the ledger says of each purpose."""

    person: PersonId
    wrapped: bytes
    key_id: str
    active: bool
    states: Mapping[str, State]
    #: Whether a user id leads to this person; None until it was asked.
    named: bool | None = None
    names: list[Name] = field(default_factory=list)
    settled: LastSettled | None = None


@dataclass(slots=True)
class Found:
    """Who a group of events is about: nobody yet, or a person; names to attach, and a second person to take in."""

    known: Known | None
    attach: list[Name] = field(default_factory=list)
    absorb: Known | None = None


class KnownPeople:
    """People by name. Used by the writer's thread alone."""

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        """Start with nobody."""
        self._vault = vault
        self._ledger = ledger
        self._by_name: dict[str, dict[str | None, Known]] = {kind: {} for kind in IDENTIFIER_KINDS}
        self._users = self._by_name[USER]
        self._devices = self._by_name[DEVICE]
        #: One object for each person, so that a change of their consent is seen under every name.
        self._by_person: dict[PersonId, Known] = {}
        self._blinds: dict[Name, bytes] = {}
        self._held = 0

    # -- remembering ---------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Drop everybody from memory; the next batch asks the store."""
        for names in self._by_name.values():
            names.clear()
        self._by_person.clear()
        self._held = 0

    def drop_blinds(self) -> None:
        """Drop the blind indexes of names: after an erasure, since they are kept by the name itself."""
        self._blinds.clear()

    def blind(self, name: Name) -> tuple[str, bytes]:
        """Return the kind and blind index of a name."""
        blind = self._blinds.get(name)
        if blind is None:
            if len(self._blinds) >= NAMES_MAX:
                self._blinds.clear()
            blind = self._blinds[name] = self._vault.blind(Identifier(*name))
        return name[0], blind

    def load(self, session: Session, groups: Iterable[Group]) -> None:
        """Ask the store, in two queries, for the people of every name in these groups that is not remembered."""
        if self._held >= NAMES_MAX:
            self.drop()
        users, devices = self._users, self._devices
        wanted: dict[Name, None] = {}
        for group in groups:
            if group.user_id is not None and group.user_id not in users:
                wanted[USER, group.user_id] = None
            if group.anonymous_id is not None and group.anonymous_id not in devices:
                wanted[DEVICE, group.anonymous_id] = None
            if group.email is not None or group.previous_id is not None:
                wanted.update(dict.fromkeys(_rarer_names(group)))
        if not wanted:
            return
        rows = people.load_many(session, [self.blind(name) for name in wanted])
        fresh = {row.person for row in rows.values()} - self._by_person.keys()
        states = self._ledger.states_many(session, fresh)
        for row in rows.values():
            if row.person not in self._by_person:
                active = row.state == people.ACTIVE and row.wrapped is not None
                known = Known(row.person, row.wrapped or b"", row.key_id or "", active, states[row.person])
                self._by_person[row.person] = known
        for name in wanted:
            found = rows.get(self.blind(name))
            if found is not None:
                self._remember(name, self._by_person[found.person])

    def _remember(self, name: Name, known: Known) -> None:
        self._by_name[name[0]][name[1]] = known
        known.names.append(name)
        self._held += 1

    def _get(self, kind: str, value: str | None) -> Known | None:
        return None if value is None else self._by_name[kind].get(value)

    # -- finding -------------------------------------------------------------------------------------------------

    def known(self, group: Group) -> Known | None:
        """Return the active person whom a group of events plainly names; None asks for `find`."""
        user_id, device_id = group.user_id, group.anonymous_id
        if group.email is not None or group.previous_id is not None:
            return None
        if user_id is None:
            known = self._devices.get(device_id)
        else:
            known = self._users.get(user_id)
            if device_id is not None and known is not self._devices.get(device_id):
                return None
        return known if known is not None and known.active else None

    def find(self, session: Session, group: Group) -> Found:
        """Find out who a group of events is about, whose names are not all of one person yet; `load` came before.

        A user id leads. A device that nobody with a user id of their own holds goes with the user id; one that somebody
        else holds stays theirs. An e-mail is said by whoever holds the public write key, so it never leads to a record.
        Raises `Dropped` for people who were erased, and for an alias of somebody who has a user id.
        """
        user = self._get(USER, group.user_id)
        device = self._get(DEVICE, group.anonymous_id)
        names: list[Name] = []
        if group.user_id is not None:
            names.append((USER, group.user_id))
        if group.anonymous_id is not None:
            names.append((DEVICE, group.anonymous_id))
        if group.email is not None:
            names.append((EMAIL, group.email))
        if group.previous_id is not None:
            device = self._get(USER, group.previous_id) or self._get(DEVICE, group.previous_id)
            names.append((DEVICE, group.previous_id))
            if device is not None and device is not user and self._named(session, device):
                raise Dropped(ALIAS_REFUSED)
        attach = [name for name in names if name[1] not in self._by_name[name[0]]]
        if attach and people.suppressed(session, [self.blind(name) for name in attach]):
            raise Dropped(SUPPRESSED)
        if user is not None or group.user_id is None:
            absorbs = user is not None and device is not None and device is not user
            absorb = device if absorbs and device is not None and not self._named(session, device) else None
            return _active(Found(user or device, attach, absorb))
        if device is not None and self._named(session, device):
            device = None
        return _active(Found(device, attach))

    def _named(self, session: Session, known: Known) -> bool:
        """Tell whether a user id leads to a person."""
        if known.named is None:
            known.named = any(kind == USER for kind, _ in people.identifiers(session, known.person))
        return known.named

    # -- changing ------------------------------------------------------------------------------------------------

    def add(self, session: Session, at_ms: int) -> Known:
        """Make a new person with a key of their own, inside a write job."""
        person = PersonId(self._vault.randomness.bytes(PERSON_ID_BYTES))
        wrapped, key_id = self._vault.new_person_key(person)
        people.add(session, person, at_ms)
        people.put_key(session, person, wrapped, key_id)
        known = self._by_person[person] = Known(person, wrapped, key_id, active=True, states={}, named=False)
        return known

    def attach(self, session: Session, known: Known, names: Iterable[Name]) -> None:
        """Let a person be found by more names, inside a write job."""
        for name in names:
            people.add_identifier(session, *self.blind(name), known.person)
            self._remember(name, known)
            known.named = known.named or name[0] == USER or None

    def replace(self, source: Known, target: Known) -> None:
        """After two people became one: every name of `source` leads to `target`."""
        for name in source.names:
            self._remember(name, target)
        self._by_person.pop(source.person, None)

    def key(self, known: Known) -> PersonKey:
        """Return a person's key, unwrapped."""
        return self._vault.key(known.person, known.wrapped, known.key_id)


def _active(found: Found) -> Found:
    """Hand on what was found; raises `Dropped` when somebody in it is being erased."""
    for known in (found.known, found.absorb):
        if known is not None and not known.active:
            raise Dropped(SUPPRESSED)
    return found


def _rarer_names(group: Group) -> list[Name]:
    """Return the names of a group that only identify and alias bring."""
    names = [] if group.email is None else [(EMAIL, group.email)]
    if group.previous_id is not None:
        names += [(USER, group.previous_id), (DEVICE, group.previous_id)]
    return names
