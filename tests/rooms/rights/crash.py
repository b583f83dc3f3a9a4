"""A program that is killed while it erases: `python crash.py URL KEY_PATH POINT NAME...`.

For each name a process of its own opens the store and erases that person; it is killed with SIGKILL at a point that
moves on by one from name to name: before and after every write, the journal's line and the emptying of side files, and
inside the transactions that subtract and delete. Prints which names were killed, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from assent.rights import erasure
from assent.store import Store
from assent.store.topics import people
from assent.terms.randomness import SystemRandomness
from assent.testing import FixedClock
from tests.processes import Death
from tests.rooms.rights.house import House


def arm(house: House, point: int) -> None:
    """Let the process die at the point-th place where it could."""
    around = Death(point).around
    house.store.write = around(house.store.write)
    house.store.checkpoint = around(house.store.checkpoint)
    house.rights._journal.add = around(house.rights._journal.add)
    house.learning.forget_person = around(house.learning.forget_person)
    erasure.people = type("People", (), {**vars(people), "delete": staticmethod(around(people.delete))})


def erase(url: str, key_path: Path, name: str, point: int) -> None:
    """Open the store, erase one person, and perhaps die."""
    house = House(Store.open(url), key_path, FixedClock(), SystemRandomness())
    arm(house, point)
    house.rights.erase(name)
    house.store.close()


def main(url: str, key_path: str, *names: str) -> None:
    """Erase each name in a process of its own."""
    killed = []
    for point, name in enumerate(names):
        process = os.fork()
        if process == 0:
            try:
                erase(url, Path(key_path), name, point)
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
        _, status = os.waitpid(process, 0)
        if os.WIFSIGNALED(status):
            killed.append(name)
        elif status:
            sys.exit(f"{name} failed")
    print(json.dumps(killed))


if __name__ == "__main__":
    main(*sys.argv[1:])
