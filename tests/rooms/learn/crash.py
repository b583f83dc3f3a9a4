"""An act of the engine in a process of its own that is killed (SIGKILL) on its way through the store.

The process dies at the point-th place where it could: before and after every statement that writes, every commit, and
every line of the erase journal. Where there are fewer places than that it does its act, closes the store and ends well.
"""

from __future__ import annotations

import signal
from typing import Any

from tests.processes import Death, forkserver

#: What a fresh process has imported before it is started, so that it starts in a blink.
WARM = ["assent.engine", "assent.testing", "tests.rooms.learn.crash"]
END_SECONDS_MAX = 60
#: The act of opening the store, which finishes what another process could not.
OPEN = "open"


def arm(point: int) -> None:
    """Let this process die at the point-th place where it could."""
    from assent.rights.journal import ErasureJournal
    from assent.store.session import Session
    from assent.store.sqlite import SqliteLink

    death = Death(point)
    for kind, name in ((Session, "run"), (Session, "run_many"), (SqliteLink, "commit"), (ErasureJournal, "add")):
        setattr(kind, name, death.around(getattr(kind, name)))


def live(store: str, keys: str, at_ms: int, act: str, arguments: dict[str, Any], point: int) -> None:
    """Open the store as of a moment, do one act of the engine, perhaps die on the way, and close."""
    from assent.engine import Engine
    from assent.terms.settings import Settings
    from assent.testing import FixedClock

    if act == OPEN:
        arm(point)
    engine = Engine.open(store, keys=keys, clock=FixedClock(at_ms), settings=Settings(), create=False)
    if act != OPEN:
        arm(point)
        getattr(engine, act)(**arguments)
    engine.close()


def survives(store: str, keys: str, at_ms: int, act: str, arguments: dict[str, Any], point: int) -> bool:
    """Do an act in a process of its own; tell whether it came back, rather than being killed on the way."""
    process = forkserver(WARM).Process(target=live, args=(store, keys, at_ms, act, arguments, point), daemon=True)
    process.start()
    process.join(END_SECONDS_MAX)
    assert process.exitcode in {0, -signal.SIGKILL}, f"{act} ended with {process.exitcode}"
    return process.exitcode == 0
