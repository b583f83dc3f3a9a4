"""Rooms above hear of every erasure: asked for, interrupted, or repeated after a restore."""

from __future__ import annotations

import pytest

from assent.engine import Engine
from assent.rights.journal import JournalLine
from assent.store.topics import erasures
from assent.store.topics.erasures import ErasureRow
from assent.terms.ids import PersonId, identifiers_named
from assent.testing import START_MS, FixedClock
from assent.testing.shops import acts
from tests.rooms.rights.house import House, gone


def test_no_memory_of_the_engine_holds_them(engine: Engine, clock: FixedClock):
    """After an erasure neither intake nor deciding remembers a name, though both knew the person."""
    engine.take_in(acts("ana", ["tea-1"], clock))
    engine.decide("ana")
    taking, deciding = engine._rooms.intake._job._people, engine._rooms.decider._people
    assert taking._users
    assert taking._blinds
    assert deciding._by_name
    engine.erase("ana")
    assert not taking._users
    assert not taking._blinds
    assert not deciding._by_name


def open_erasures(house: House, person: PersonId) -> list[ErasureRow]:
    """Return the erasures of a person that have no certificate yet."""
    with house.store.read() as session:
        return [row for row in erasures.of_person(session, person) if row.certificate is None]


def hear(house: House) -> list[tuple[PersonId, bool]]:
    """Return the list of what the hook was called with: who, and whether anything of them was left."""
    told = []
    house.rights.on_erased.append(lambda person: told.append((person, gone(house, person))))
    return told


def test_rooms_above_hear_who_was_erased(full):
    """Each hook is called once, when rows and key are gone, before the certificate; whoever asks again has it again."""
    told = hear(full)
    person, _ = full.find("ann")
    full.rights.on_erased.append(lambda who: told.append(len(open_erasures(full, who))))
    certificate = full.rights.erase("ann")
    assert told == [(person, True), 1]
    assert full.rights.erase("ann") == certificate
    assert told == [(person, True), 1, (person, True), 0]


def test_erasures_that_go_on_at_opening_tell_as_well(full):
    """Interrupted ones and those that a backup brought back reach the hooks, whatever step they had come to."""
    people_asked = [full.find(name)[0] for name in ("ann", "bob", "cid", "dan")]
    for name, steps in (("ann", 0), ("bob", 2), ("cid", 3)):
        blinds = full.vault.blinds(identifiers_named(name))
        erasure_id = full.store.write(lambda session, blinds=blinds: full.rights._eraser.request(session, blinds))
        for _ in range(steps):
            with full.store.read() as session:
                row = erasures.get(session, erasure_id)
            full.rights._eraser._steps[row.step](row)
    blinds = full.vault.blinds(identifiers_named("dan"))
    full.rights._journal.add(JournalLine(b"e" * 16, people_asked[3], tuple(blinds), START_MS))
    opened = full.again()
    told = hear(opened)
    assert len(opened.rights.replay_journal() + opened.rights.resume_all()) == 4
    assert sorted(told) == sorted((person, True) for person in people_asked)


def test_a_hook_that_fails_holds_up_the_certificate(full):
    """There is no certificate while a room still holds the person; the next call goes on, and tells again."""
    person, _ = full.find("ann")

    def hook(_):
        raise LookupError

    full.rights.on_erased.append(hook)
    for _ in range(2):
        with pytest.raises(LookupError):
            full.rights.erase("ann")
    assert len(open_erasures(full, person)) == 1
    full.rights.on_erased.remove(hook)
    told = hear(full)
    assert full.rights.erase("ann").body["person"] == person.hex()
    assert told == [(person, True)]
