"""An erasure in a process that dies on the way, at any step that touches a model file."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from tests.insides import wait_for_files
from tests.processes import Death


def erase(store: str, person: str, point: int, there: Connection) -> None:
    """Erase one person and wait for the files to be as they should; die at the point-th place where that is possible.

    Says "erased" with the acknowledgement, and "settled" at the end.
    """
    from assent.engine import Engine
    from assent.learn.model_files import ModelFolder
    from assent.models.recommender import files

    death = Death(point)
    engine = Engine.open(store, create=False)
    engine.server.warm()
    for owner, names in ((ModelFolder, ["retire", "publish"]), (files, ["write", "sync_folder"])):
        for name in names:
            setattr(owner, name, death.before(getattr(owner, name)))
    for name in ("unlink", "rename"):
        setattr(Path, name, death.before(getattr(Path, name)))
    engine.erase(person)
    death.here()
    there.send("erased")
    wait_for_files(engine)
    there.send("settled")
