"""The erase journal: durable lines, torn ends, damage that is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.rights.journal import ErasureJournal, JournalLine
from assent.terms.errors import Corrupt, StoreUnavailable


def line(number: int) -> JournalLine:
    erasure = number.to_bytes(16, "big")
    return JournalLine(
        erasure, erasure[::-1], (("user_id", bytes([number % 256]) * 32), ("email", b"e" * 32)), 1000 + number
    )


@pytest.fixture
def journal(tmp_path):
    return ErasureJournal(tmp_path / "shop.erasures")


def test_lines_come_back_in_order(journal):
    """The lines that were added are read, once each, from a file that only its owner may read."""
    assert journal.lines() == []
    for number in (1, 2, 1, 3):
        journal.add(line(number))
    assert journal.lines() == [line(1), line(2), line(3)]
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_the_newest_erasure_of_an_identifier_is_found(journal):
    """The newest erasure of any person with one of the identifiers is returned."""
    for number in (1, 2):
        journal.add(line(number))
    assert journal.erasure_of([("user_id", b"\x01" * 32)]) == line(1).erasure
    assert journal.erasure_of([("email", b"e" * 32)]) == line(2).erasure
    assert journal.erasure_of([("anonymous_id", b"e" * 32)]) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_torn_end_is_written_anew(journal, data):
    """Wherever a crash cut the last line, the whole lines stand, and the cut one can be added again."""
    journal.path.unlink(missing_ok=True)
    for number in (1, 2, 3):
        journal.add(line(number))
    content = journal.path.read_bytes()
    start = content[:-1].rfind(b"\n") + 1
    journal.path.write_bytes(content[: data.draw(st.integers(start, len(content) - 1))])
    assert journal.lines() == [line(1), line(2)]
    journal.add(line(3))
    assert journal.path.read_bytes() == content


def test_damage_is_told(journal):
    """A line in the middle that cannot be read is not passed over."""
    for number in (1, 2):
        journal.add(line(number))
    content = journal.path.read_bytes()
    journal.path.write_bytes(content.replace(b"user_id", b"user\xffid", 1))
    with pytest.raises(Corrupt, match="copy"):
        journal.lines()


def test_a_journal_that_cannot_be_written_is_told(tmp_path):
    """No directory: nobody can be erased, and the caller learns why."""
    with pytest.raises(StoreUnavailable, match="beside its key file"):
        ErasureJournal(tmp_path / "absent" / "shop.erasures").add(line(1))


def test_many_write_at_once(journal):
    """Lines from many threads are all there, each whole."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(journal.add, map(line, range(40))))
    assert sorted(each.requested_ms for each in journal.lines()) == list(range(1000, 1040))
