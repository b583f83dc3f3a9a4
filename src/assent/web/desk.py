"""Between the event loop and the engine: threads for slow acts, and one wake-up for each group of committed writes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from assent.terms.errors import Loading

if TYPE_CHECKING:
    from assent.engine import Engine

T = TypeVar("T")

#: More would only wait for the one writer, or for the interpreter's lock.
THREADS = 4


class Desk:
    """What every route works with: the engine, and the two ways to wait for it without holding up the event loop."""

    def __init__(self, engine: Engine) -> None:
        """Hold an open engine."""
        self.engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="assent-web")
        self._arrived: deque[asyncio.Future[None]] = deque()
        self._waking = False
        self._warming: asyncio.Future[None] | None = None

    async def in_thread(self, act: Callable[[], T]) -> T:
        """Run an act that takes its time beside the event loop and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    async def with_model(self, act: Callable[[], T]) -> T:
        """Run a quick act of the engine right here; where it finds the model loading, wait for that in one thread."""
        while True:
            try:
                return act()
            except Loading:
                if self._warming is None or self._warming.done():
                    self._warming = asyncio.ensure_future(self.in_thread(self.engine.warm))
                await asyncio.shield(self._warming)

    async def landed(self, future: Future[T]) -> T:
        """Wait for a queued write to be durable and return its result, or raise its error."""
        if not future.done():
            loop = asyncio.get_running_loop()
            waiter: asyncio.Future[None] = loop.create_future()

            def arrive(_: Future[T]) -> None:
                self._arrived.append(waiter)
                if not self._waking:
                    self._waking = True
                    loop.call_soon_threadsafe(self._wake)

            future.add_done_callback(arrive)
            await waiter
        return future.result()

    def _wake(self) -> None:
        """Wake everybody whose write has arrived: the writer commits in groups, so one call serves a whole group."""
        self._waking = False
        while self._arrived:
            waiter = self._arrived.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """End the threads once what they do is done."""
        self._threads.shutdown()
