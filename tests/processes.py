"""Processes of tests: how one starts in a blink, where it listens, and how it is killed (SIGKILL) on its way."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

HOST = "127.0.0.1"


def forkserver(warm: Sequence[str]) -> multiprocessing.context.ForkServerContext:
    """Return a context whose processes start with the modules `warm` imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(warm))
    return context


def free_port() -> int:
    """Return a port of loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Death:
    """The end of this process, at the `point`-th of the places where it could die; never, where there are fewer."""

    def __init__(self, point: int) -> None:
        self.point, self.places = point, itertools.count()

    def here(self) -> None:
        """Be one such place."""
        if next(self.places) == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with such a place before it."""

        def run(*arguments: Any, **named: Any) -> Any:
            self.here()
            return call(*arguments, **named)

        return run

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with such a place before it and one after it."""

        def run(*arguments: Any, **named: Any) -> Any:
            self.here()
            result = call(*arguments, **named)
            self.here()
            return result

        return run
