"""People found by their identifiers, kept in memory until consent, keys or erasures change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from assent.intake.drops import DroppedEvent
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

#: The number of cached names at which all are dropped, and the same for digests of names.
CACHED_NAMES = 100_000

USER, DEVICE, EMAIL = IDENTIFIER_KINDS


class LastConsent(NamedTuple):
    """The last answer of the gate that changed nothing: its states and signals, its end, and its purposes."""

    states: Mapping[str, State]
    signals: Signals
    until_ms: int
    mask: int


@dataclass(slots=True, eq=False)
class IntakePerson:
    """One person for intake: id, wrapped key, and the ledger's state of each purpose."""

    id: PersonId
    wrapped: bytes
    key_id: str
    active: bool
    states: Mapping[str, State]
    #: True when a user id leads to this person; None until it was looked up.
    named: bool | None = None
    names: list[Name] = field(default_factory=list)
    last_consent: LastConsent | None = None


@dataclass(slots=True)
class Found:
    """The person of a group of events, None for a new one; names to attach, and a second person to merge."""

    person: IntakePerson | None
    attach: list[Name] = field(default_factory=list)
    absorb: IntakePerson | None = None


class KnownPeople:
    """A cache of people by name. Only the writer's thread uses it."""

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        self._vault = vault
        self._ledger = ledger
        self._by_name: dict[str, dict[str | None, IntakePerson]] = {kind: {} for kind in IDENTIFIER_KINDS}
        self._users = self._by_name[USER]
        self._devices = self._by_name[DEVICE]
        #: One object for each person, so that a change of consent shows under every name.
        self._by_person: dict[PersonId, IntakePerson] = {}
        self._blinds: dict[Name, bytes] = {}
        self._name_count = 0

    # -- memory --------------------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Drop all people from memory; the next batch asks the store."""
        for names in self._by_name.values():
            names.clear()
        self._by_person.clear()
        self._name_count = 0

    def drop_blinds(self) -> None:
        """Drop the blind indexes of names; called after an erasure, because they are kept by the plain name."""
        self._blinds.clear()

    def blind(self, name: Name) -> tuple[str, bytes]:
        """Return the kind and blind index of a name."""
        blind = self._blinds.get(name)
        if blind is None:
            if len(self._blinds) >= CACHED_NAMES:
                self._blinds.clear()
            blind = self._blinds[name] = self._vault.blind(Identifier(*name))
        return name[0], blind

    def load(self, session: Session, groups: Iterable[Group]) -> None:
        """Read the people of all names in these groups that are not in memory, in two queries."""
        if self._name_count >= CACHED_NAMES:
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
                person = IntakePerson(row.person, row.wrapped or b"", row.key_id or "", active, states[row.person])
                self._by_person[row.person] = person
        for name in wanted:
            found = rows.get(self.blind(name))
            if found is not None:
                self._remember(name, self._by_person[found.person])

    def _remember(self, name: Name, person: IntakePerson) -> None:
        self._by_name[name[0]][name[1]] = person
        person.names.append(name)
        self._name_count += 1

    def _get(self, kind: str, value: str | None) -> IntakePerson | None:
        return None if value is None else self._by_name[kind].get(value)

    # -- finding -------------------------------------------------------------------------------------------------

    def active(self, group: Group) -> IntakePerson | None:
        """Return the active person whom all names of a group lead to; None when `find` has to decide."""
        user_id, device_id = group.user_id, group.anonymous_id
        if group.email is not None or group.previous_id is not None:
            return None
        if user_id is None:
            person = self._devices.get(device_id)
        else:
            person = self._users.get(user_id)
            if device_id is not None and person is not self._devices.get(device_id):
                return None
        return person if person is not None and person.active else None

    def find(self, session: Session, group: Group) -> Found:
        """Return the person of a group whose names do not all lead to one person yet; call `load` before.

        A user id decides. A device without a user id goes with the user id; a device of another user stays theirs. An
        e-mail comes from a holder of the public write key, so it never leads to a record. Raises `DroppedEvent` for
        people who were erased, and for an alias of a person who has a user id.
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
                raise DroppedEvent(ALIAS_REFUSED)
        attach = [name for name in names if name[1] not in self._by_name[name[0]]]
        if attach and people.suppressed(session, [self.blind(name) for name in attach]):
            raise DroppedEvent(SUPPRESSED)
        if user is not None or group.user_id is None:
            absorbs = user is not None and device is not None and device is not user
            absorb = device if absorbs and device is not None and not self._named(session, device) else None
            return _active(Found(user or device, attach, absorb))
        if device is not None and self._named(session, device):
            device = None
        return _active(Found(device, attach))

    def _named(self, session: Session, person: IntakePerson) -> bool:
        """Tell whether a user id leads to a person."""
        if person.named is None:
            person.named = any(kind == USER for kind, _ in people.identifiers(session, person.id))
        return person.named

    # -- changing ------------------------------------------------------------------------------------------------

    def add(self, session: Session, at_ms: int) -> IntakePerson:
        """Add a new person with a key of their own, inside a write job."""
        person_id = PersonId(self._vault.randomness.bytes(PERSON_ID_BYTES))
        wrapped, key_id = self._vault.new_person_key(person_id)
        people.add(session, person_id, at_ms)
        people.put_key(session, person_id, wrapped, key_id)
        person = self._by_person[person_id] = IntakePerson(
            person_id, wrapped, key_id, active=True, states={}, named=False
        )
        return person

    def attach(self, session: Session, person: IntakePerson, names: Iterable[Name]) -> None:
        """Attach more names to a person, inside a write job."""
        for name in names:
            people.add_identifier(session, *self.blind(name), person.id)
            self._remember(name, person)
            person.named = person.named or name[0] == USER or None

    def replace(self, source: IntakePerson, target: IntakePerson) -> None:
        """Let every name of `source` lead to `target`, after the two were merged."""
        for name in source.names:
            self._remember(name, target)
        self._by_person.pop(source.id, None)

    def key(self, person: IntakePerson) -> PersonKey:
        """Return a person's key, unwrapped."""
        return self._vault.key(person.id, person.wrapped, person.key_id)


def _active(found: Found) -> Found:
    """Return `found`; raises `DroppedEvent` when one of its people is being erased."""
    for person in (found.person, found.absorb):
        if person is not None and not person.active:
            raise DroppedEvent(SUPPRESSED)
    return found


def _rarer_names(group: Group) -> list[Name]:
    """Return the names of a group that only `identify` and `alias` have."""
    names = [] if group.email is None else [(EMAIL, group.email)]
    if group.previous_id is not None:
        names += [(USER, group.previous_id), (DEVICE, group.previous_id)]
    return names
