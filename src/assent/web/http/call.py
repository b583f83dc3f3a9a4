"""Calls: one request to an operation, as its handler sees it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from litestar.types import Receive, Scope

from assent.web.http.auth import admit, key_in
from assent.web.http.paths import name_in_path
from assent.web.http.requests import header, opted_out, read_body, read_json, read_query

if TYPE_CHECKING:
    from assent.web.http.engine_bridge import EngineBridge

T = TypeVar("T")

#: The decoder of each shape, kept because making one costs more than a request.
_decoders: dict[object, Callable[[bytes], Any]] = {}


class Call:
    """One request: the engine, the name in the path, and readers of headers, query and body."""

    __slots__ = ("_receive", "bridge", "engine", "scope")

    def __init__(self, bridge: EngineBridge, scope: Scope, receive: Receive) -> None:
        self.bridge = bridge
        self.engine = bridge.engine
        self.scope = scope
        self._receive = receive

    @property
    def name(self) -> str:
        """Return the name that stood in the path, decoded."""
        return name_in_path(self.scope)

    @property
    def key(self) -> str | None:
        """Return the key that the request carries in its Authorization header, if any."""
        authorization = header(self.scope, b"authorization")
        return None if authorization is None else key_in(authorization)

    @property
    def opted_out(self) -> bool:
        """Tell whether Global Privacy Control is on."""
        return opted_out(self.scope)

    def header(self, name: bytes) -> bytes | None:
        """Return the first header of that name (lower case), or None."""
        return header(self.scope, name)

    def query(self, shape: type[T]) -> T:
        """Return the query string as a shape; raises `InvalidInput`."""
        return read_query(self.scope, shape)

    def body(self) -> Coroutine[Any, Any, bytes]:
        """Read the whole body; raises `TooLarge`, `InvalidInput`, `ClientGone`."""
        return read_body(self.scope, self._receive)

    async def json(self, shape: type[T]) -> T:
        """Return the JSON body as a shape; raises `InvalidInput`, `TooLarge`, `ClientGone`."""
        decode = _decoders.get(shape) or _decoders.setdefault(shape, msgspec.json.Decoder(shape).decode)
        read: T = read_json(decode, await self.body())
        return read

    def admit(self, key: str | None, act: str) -> None:
        """Let a key do an act, or raise `Unauthenticated` or `Forbidden`."""
        admit(self.engine, key, act)

    def in_thread(self, act: Callable[[], T]) -> Coroutine[Any, Any, T]:
        """Run a slow act in a thread beside the event loop and return its result."""
        return self.bridge.in_thread(act)
