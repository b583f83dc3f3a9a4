"""The bridge from event loop to engine: threads for slow acts, and one wake-up for each group of committed writes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from assent.engine import Engine

T = TypeVar("T")

#: More threads would only wait for the one writer, or for the interpreter's lock.
THREADS = 4


class EngineBridge:
    """The open engine as routes use it, with two ways to wait for it without holding up the event loop.

    `description` is the API's own description, written once by the application.
    """

    def __init__(self, engine: Engine, description: bytes = b"{}") -> None:
        self.engine = engine
        self.description = description
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="assent-web")
        self._arrived: deque[Callable[[], object]] = deque()
        self._waking = False
        self._warming: asyncio.Future[None] | None = None
        self._shared: dict[object, Any] = {}

    def shared(self, kind: Callable[[EngineBridge], T]) -> T:
        """Return the one `kind(bridge)` of this application, made at the first call."""
        found: T | None = self._shared.get(kind)
        if found is None:
            found = self._shared[kind] = kind(self)
        return found

    async def in_thread(self, act: Callable[[], T]) -> T:
        """Run a slow act in a thread beside the event loop and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    def warming(self) -> asyncio.Future[None]:
        """Return the future of loading the model, which one thread does for all requests that wait for it."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.ensure_future(self.in_thread(self.engine.server.warm))
        return self._warming

    async def committed(self, future: Future[T]) -> T:
        """Wait for a queued write to be durable and return its result, or raise its error."""
        if not future.done():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake() -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self.when_committed(future, wake)
            await waiter
        return future.result()

    def when_committed(self, future: Future[T], act: Callable[[], object]) -> None:
        """Have `act` called by the event loop once a queued write is durable, or has failed."""
        loop = asyncio.get_running_loop()

        def arrive(_: Future[T]) -> None:
            self._arrived.append(act)
            if not self._waking:
                self._waking = True
                loop.call_soon_threadsafe(self._wake)

        future.add_done_callback(arrive)

    def _wake(self) -> None:
        """Do what waited for writes: the writer commits in groups, so one call serves a whole group."""
        self._waking = False
        while self._arrived:
            self._arrived.popleft()()

    def close(self) -> None:
        """End the threads after their current work."""
        self._threads.shutdown()
