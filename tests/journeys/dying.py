"""An erasure in a process that dies on the way, at any step that touches a model file."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def erase(store: str, person: str, point: int, there: Connection) -> None:
    """Erase one person and wait for the files to be as they should; die at the point-th place where that is possible.

    Says "erased" with the acknowledgement, and "settled" at the end.
    """
    from assent.engine import Engine
    from assent.learn.publishing import ModelFolder
    from assent.models.recommender import files

    places = itertools.count()

    def die() -> None:
        if next(places) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            die()
            return call(*arguments, **named)

        return run

    engine = Engine.open(store, create=False)
    engine.warm()
    for owner, names in ((ModelFolder, ["retire", "publish"]), (files, ["write", "sync_folder"])):
        for name in names:
            setattr(owner, name, around(getattr(owner, name)))
    for name in ("unlink", "rename"):
        setattr(Path, name, around(getattr(Path, name)))
    engine.erase(person)
    die()
    there.send("erased")
    while (sharing := engine._learning._served._sharing) is not None:
        sharing.join()
    there.send("settled")
