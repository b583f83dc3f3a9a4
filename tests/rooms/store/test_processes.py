"""Several processes on one store, and processes that die."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assent.store import Store
from assent.store.columns import METADATA
from assent.store.topics import meta

CHILD = Path(__file__).with_name("child.py")


def start(url, name):
    """Start a writing process and wait until it has the store open."""
    process = subprocess.Popen(
        [sys.executable, str(CHILD), url, name],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "open\n"
    return process


def kill(process):
    """Kill a process outright and return the whole lines that it got out."""
    process.send_signal(signal.SIGKILL)
    rest = process.communicate()[0]
    return [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]


def read_lines(process, count):
    """Read so many acknowledgements."""
    return [process.stdout.readline().split() for _ in range(count)]


def test_what_was_acknowledged_survives_a_killed_process(store_url):
    """After SIGKILL in the middle of writing, every acknowledged write is there, and whole, time after time."""
    acknowledged = {}
    for round_ in range(4):
        process = start(store_url, f"r{round_}-")
        lines = read_lines(process, 17 + 10 * round_) + kill(process)
        acknowledged |= {f"r{round_}-{n}": int(number) for n, number in lines}
    assert len(acknowledged) >= 17 + 27 + 37 + 47
    assert len(set(acknowledged.values())) == len(acknowledged)
    with Store.open(store_url) as store:
        with store.read() as session:
            kept = {key for key, _ in session.all(METADATA.tables["meta"].select())}
            assert acknowledged.keys() <= kept
        assert store.write(lambda session: meta.allocate(session, "shared")) > max(acknowledged.values())


def test_two_processes_write_side_by_side(store_url):
    """Two processes and this one write the same store at once: nobody fails, no number is given twice."""
    with Store.open(store_url) as store:
        first, second = start(store_url, "a"), start(store_url, "b")
        mine = [store.write(lambda session: meta.allocate(session, "shared")) for _ in range(30)]
        lines = read_lines(first, 60) + read_lines(second, 60)
        lines += kill(first) + kill(second)
        numbers = mine + [int(number) for _, number in lines]
        assert len(set(numbers)) == len(numbers)
        with store.read() as session:
            kept = [key for key, _ in session.all(METADATA.tables["meta"].select())]
        assert len(kept) >= len(lines)


def test_a_process_that_holds_the_lock_is_waited_for_and_then_reported(store_url, monkeypatch):
    """A write waits for another process's transaction; when that lasts too long the store says it is busy."""
    from assent.store import link, sqlite
    from assent.terms.errors import Busy

    if store_url.startswith("sqlite"):
        monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 0.05)
    else:
        from assent.store import postgresql

        short = postgresql.SETTINGS.replace(f"lock_timeout = '{link.LOCK_WAIT_SECONDS}s'", "lock_timeout = '50ms'")
        monkeypatch.setattr(postgresql, "SETTINGS", short)
    with Store.open(store_url) as store, Store.open(store_url) as other:

        def hold(session):
            meta.put(session, "a", "held")
            with pytest.raises(Busy, match="Another process"):
                other.write(lambda waiting: meta.put(waiting, "a", "late"))

        store.write(hold)
        other.write(lambda session: meta.put(session, "b", "in time"))
        with store.read() as session:
            assert [meta.get(session, key) for key in "ab"] == ["held", "in time"]
