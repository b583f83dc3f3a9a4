"""The data that an erasure relies on is on the disk before, and no model file with the person stays."""

from __future__ import annotations

import os

import pytest

from assent.store.topics import erasures
from assent.terms.ids import identifiers_named
from tests.rooms.rights.house import House


def test_the_journal_is_on_the_disk_before_anything_is_taken_away(full: House, monkeypatch: pytest.MonkeyPatch):
    """The line itself and the folder that names the file are synced, then the person is subtracted; never before."""
    happened: list[object] = []
    sync, subtract = os.fsync, full.rights._eraser._subtract

    def noted(descriptor: int) -> None:
        sync(descriptor)
        happened.append(os.fstat(descriptor).st_ino)

    def subtracted(*arguments: object) -> dict:
        happened.append("subtracted")
        return subtract(*arguments)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(full.rights._eraser, "_subtract", subtracted)
    full.rights.erase("ann")
    journal = full.vault.journal_path
    before = happened[: happened.index("subtracted")]
    assert journal.stat().st_ino in before
    assert journal.parent.stat().st_ino in before


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_model_file_that_a_crash_left_is_taken_away_and_counted(full: House, monkeypatch: pytest.MonkeyPatch):
    """The process that subtracted may have died before it removed the files: the search does it and says so."""
    folder = full.store.path.with_name(f"{full.store.path.name}.models")
    folder.mkdir(mode=0o700, exist_ok=True)
    stale = folder / "recommender-000000000001.model.1-1.part"  # whoever was writing it died
    emptied = full.store.checkpoint

    def checkpoint() -> None:
        stale.write_bytes(b"ann")
        emptied()

    monkeypatch.setattr(full.store, "checkpoint", checkpoint)
    facts = full.rights.erase("ann").body["facts"]
    assert facts["model_files_found_afterwards"] == 1
    assert not stale.exists()


def test_an_erasure_leaves_no_key_of_theirs_in_memory(full: House):
    """Unwrapped keys of others stay cached; the erased person's is dropped by the process that erased them."""
    (ann, _), (bob, _) = full.find("ann"), full.find("bob")
    assert {ann, bob} <= set(full.vault._cached)
    full.rights.erase("ann")
    assert ann not in full.vault._cached
    assert bob in full.vault._cached


def test_whoever_ends_an_erasure_that_another_began_drops_the_key_as_well(full: House):
    """Another process has deleted the rows; this one, which still holds the key unwrapped, goes on to the end."""
    ann, _ = full.find("ann")
    other = full.again()
    blinds = full.vault.blinds(identifiers_named("ann"))
    erasure_id = full.store.write(lambda session: other.rights._eraser.request(session, blinds))
    for step in ("suppressed", "subtracted"):
        with full.store.read() as session:
            row = erasures.get(session, erasure_id)
        assert row.step == step
        other.rights._eraser._steps[step](row)
    assert ann in full.vault._cached
    full.rights.resume_all()
    assert ann not in full.vault._cached


def test_asking_twice_at_once_writes_one_line(full: House):
    """The journal names an erasure once, however often it is carried on."""
    blinds = full.vault.blinds(identifiers_named("ann"))
    begun = {full.store.write(lambda session: full.rights._eraser.request(session, blinds)) for _ in range(2)}
    full.rights.resume_all()
    assert [line.erasure for line in full.rights._journal.lines()] == list(begun)
