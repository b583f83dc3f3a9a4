"""Records of one person: they are opened, folded and stripped here, and permits are checked here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from assent.consent import in_force
from assent.store.topics import meta, records
from assent.terms.errors import Corrupt, PermitNeeded
from assent.terms.permits import Permit
from assent.terms.purposes import Purpose
from assent.vault import seals
from assent.vault.history import for_purpose, limited, merge, pack, unpack, unpack_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from assent.store import Session
    from assent.store.topics.records import RecordRow
    from assent.terms.ids import PersonId
    from assent.vault.seals import PersonKey

#: The key under which one event of a record may carry purposes of its own (an int mask).
EVENT_PURPOSES = "purposes"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class HeldHistory(NamedTuple):
    """A history that stays open in memory between questions.

    `entries`: of every purpose; `serving`: those that may serve the purpose of `bit`; both HISTORY dtype, shape
    (entries,). `through`: the number of the newest record in it. `complete`: that of the store's newest record at the
    last look.
    """

    entries: NDArray[np.void]
    bit: int
    serving: NDArray[np.void]
    through: int
    complete: int


class Opened(NamedTuple):
    """One opened event: when its record was written, for which purposes it may be used, and the event itself."""

    at_ms: int
    purposes: int
    event: Any


def check_permit(
    session: Session,
    permit: Permit[Purpose],
    person_key: PersonKey,
    now_ms: int,
    purpose: type[Purpose] | None = None,
    epoch: int | None = None,
) -> None:
    """Raise `PermitNeeded` unless the permit is for this person, in time, for a purpose that keeps records, in force.

    `epoch` is the store's as `session` sees it, None to look it up. The ledger is asked again only where it differs
    from the permit's: with an equal epoch no consent has changed.
    """
    if not isinstance(permit, Permit):
        raise PermitNeeded("A record was asked for with something that is not a permit.")
    if permit.person != person_key.person:
        raise PermitNeeded("A record was asked for with another person's permit.")
    if permit.expires_ms <= now_ms:
        raise PermitNeeded("A record was asked for with a permit that has expired.")
    if not permit.purpose.bit or (purpose is not None and permit.purpose is not purpose):
        raise PermitNeeded("A record was asked for with a permit for another purpose.")
    if permit.epoch != (meta.epoch(session) if epoch is None else epoch) and not in_force(session, permit):
        raise PermitNeeded("A record was asked for with a permit that was taken back since.")


def open_entries(person_key: PersonKey, table: str, sequence: int, sealed: bytes) -> NDArray[np.void]:
    """Open sealed history entries of any schema version, HISTORY dtype, shape (entries,); raises `Corrupt`."""
    packed = person_key.open(table, sequence, sealed)
    return unpack_first(packed) if sealed[:1] == seals.FIRST_SCHEMA else unpack(packed)


def open_history(session: Session, bit: int, person_key: PersonKey) -> NDArray[np.void]:
    """Return the entries of the folded history and of the trails after it that may serve `bit`.

    HISTORY dtype, shape (entries,).
    """
    return for_purpose(_whole(session, person_key)[0], bit)


def open_histories(session: Session, bit: int, keys: Sequence[PersonKey]) -> list[NDArray[np.void]]:
    """Return the history of each person, in the order of `keys`, by two queries.

    HISTORY dtype, shape (entries,), for each of them.
    """
    persons = [key.person for key in keys]
    folded = records.histories_of(session, persons)
    loose = records.trails_of(session, persons)
    opened = []
    for key in keys:
        row, trails = folded.get(key.person), loose[key.person]
        parts = [] if row is None else [open_entries(key, seals.HISTORIES, row.through_seq, row.sealed)]
        parts += [open_entries(key, seals.TRAILS, seq, trail) for seq, trail in trails]
        opened.append(for_purpose(parts[0] if row is not None and not trails else merge(parts), bit))
    return opened


def _whole(session: Session, person_key: PersonKey) -> tuple[NDArray[np.void], int, int]:
    """Return the whole history, the number of its newest record, and how many trails were not folded yet.

    The history has HISTORY dtype, shape (entries,).
    """
    folded = records.history(session, person_key.person)
    parts = []
    through = 0
    if folded is not None:
        through = folded.through_seq
        parts.append(open_entries(person_key, seals.HISTORIES, through, folded.sealed))
    trails = records.trails(session, person_key.person, through)
    for seq, trail in trails:
        parts.append(open_entries(person_key, seals.TRAILS, seq, trail))
        through = seq
    return parts[0] if folded is not None and not trails else merge(parts), through, len(trails)


def catch_up(session: Session, bit: int, person_key: PersonKey, held: HeldHistory | None, newest: int) -> HeldHistory:
    """Return the history as `session` sees it, reading only what came after `held`; `newest`: the newest record."""
    if held is not None and held.bit == bit and held.complete == newest:
        return held
    if held is None:
        whole, through, _ = _whole(session, person_key)
        return HeldHistory(whole, bit, for_purpose(whole, bit), through, newest)
    trails = records.trails(session, person_key.person, held.through)
    if not trails and held.bit == bit:
        return held._replace(complete=newest)
    whole = merge([held.entries, *(open_entries(person_key, seals.TRAILS, seq, trail) for seq, trail in trails)])
    through = trails[-1][0] if trails else held.through
    return HeldHistory(whole, bit, for_purpose(whole, bit), through, newest)


def fold_history(session: Session, person: PersonId, person_key: PersonKey) -> int:
    """Fold the trails into the person's sealed history; return how many entries it has."""
    whole, through, loose = _whole(session, person_key)
    if loose:
        records.put_history(session, person, person_key.seal(seals.HISTORIES, through, pack(whole)), through)
    return len(whole)


def open_records(session: Session, bit: int, person_key: PersonKey) -> list[Opened]:
    """Return the events that may serve `bit`, oldest first."""
    opened = []
    for row in records.of(session, person_key.person):
        if row.purposes & bit:
            for event in _events(row, person_key):
                purposes = _purposes_of(event, row.purposes)
                if purposes & bit:
                    opened.append(Opened(row.at_ms, purposes, event))
    return opened


def _events(row: RecordRow, person_key: PersonKey) -> list[Any]:
    """Open the events of one record; raises `Corrupt` when it holds no list."""
    try:
        events = _decode(person_key.open(seals.RECORDS, row.seq, row.sealed))
    except msgspec.DecodeError:
        events = None
    if not isinstance(events, list):
        raise Corrupt("A sealed record does not hold a list of events.")
    return events


def _purposes_of(event: Any, record_purposes: int) -> int:
    """Return the event's own purposes where it names some, never more than its record's."""
    own = event.get(EVENT_PURPOSES) if isinstance(event, dict) else None
    return record_purposes & own if isinstance(own, int) else record_purposes


def strip(session: Session, person: PersonId, person_key: PersonKey, bit: int) -> int:
    """Take `bit` out of records, trails and history, and delete every part that serves no other purpose.

    Returns how many records were deleted whole.
    """
    for row in records.of(session, person):
        if row.purposes & bit and row.purposes != bit:
            _strip_record(session, row, person_key, bit)
    deleted: int = records.strip_purpose(session, person, bit)
    folded = records.history(session, person)
    if folded is not None:
        whole = open_entries(person_key, seals.HISTORIES, folded.through_seq, folded.sealed)
        left = pack(limited(whole, ~bit))
        sealed = person_key.seal(seals.HISTORIES, folded.through_seq, left)
        records.put_history(session, person, sealed, folded.through_seq)
    return deleted


def _strip_record(session: Session, row: RecordRow, person_key: PersonKey, bit: int) -> None:
    """Rewrite one record that serves other purposes as well, without the events and entries that served `bit` alone."""
    kept = []
    for event in _events(row, person_key):
        left = _purposes_of(event, row.purposes) & ~bit
        if left:
            kept.append({**event, EVENT_PURPOSES: left} if isinstance(event, dict) else event)
    trail = None
    if row.trail is not None:
        entries = limited(open_entries(person_key, seals.TRAILS, row.seq, row.trail), ~bit)
        trail = person_key.seal(seals.TRAILS, row.seq, pack(entries)) if len(entries) else None
    sealed = person_key.seal(seals.RECORDS, row.seq, _encode(kept))
    records.replace(session, row.seq, sealed, trail, row.purposes & ~bit)


def strip_old(session: Session, person_key: PersonKey, expired: Callable[[int], int]) -> int:
    """Take out of every record the purposes whose retention ended: `expired(at_ms)` returns their bits for a moment.

    Records without a purpose are deleted, and the history is made anew from the remaining trails. Returns how many
    records were changed or deleted.
    """
    changed = 0
    for row in records.of(session, person_key.person):
        over = expired(row.at_ms) & row.purposes
        if not over:
            continue
        changed += 1
        if over == row.purposes:
            records.drop(session, row.seq)
        else:
            _strip_record(session, row, person_key, over)
    if changed:
        records.drop_history(session, person_key.person)
        fold_history(session, person_key.person, person_key)
    return changed
