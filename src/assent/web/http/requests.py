"""Requests: bodies are read within a bound, JSON and queries checked against a shape, and nothing is echoed back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar.types import Receive, Scope

from assent.terms.errors import InvalidInput, TooLarge
from assent.terms.limits import limit
from assent.terms.sentences import nearest

T = TypeVar("T")

_QUERY_FIELDS_MAX = limit("query_fields_max")
_LANGUAGES_MAX = limit("accept_languages_max")
#: The part of msgspec's errors that quotes what was sent; elsewhere they name only what the shape has.
_QUOTED = re.compile(r"""(unknown field|enum value) [`'"].*[`'"](?= - at `|$)""", re.DOTALL)


class ClientGone(Exception):
    """The client closed the connection before its body had come, so no answer can be sent."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of that name (lower case), or None."""
    return next((value for key, value in scope["headers"] if key == name), None)


def opted_out(scope: Scope) -> bool:
    """Tell whether Global Privacy Control is on: a `Sec-GPC` header that is exactly `1` (W3C GPC, section 3.1).

    Several headers, also when something on the way joined them with commas, are a signal if one of them is.
    """
    return any(name == b"sec-gpc" and b"1" in _parts(value) for name, value in scope["headers"])


def accepted_language(scope: Scope) -> str | None:
    """Return the known language that `Accept-Language` likes best (RFC 9110, section 12.5.4), None without one."""
    accepted = header(scope, b"accept-language")
    return None if accepted is None else _best_language(accepted)


@lru_cache(256)
def _best_language(accepted: bytes) -> str | None:
    weighed = []
    for place, each in enumerate(accepted.decode("latin-1").split(",")[:_LANGUAGES_MAX]):
        tag, _, weight = each.partition(";")
        found = nearest(tag)
        quality = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", weight)
        liking = float(quality[1]) if quality else float(not weight)
        if found is not None and liking > 0:
            weighed.append((-liking, place, found))
    return min(weighed)[2] if weighed else None


def _parts(value: bytes) -> list[bytes]:
    return [part.strip() for part in value.split(b",")]


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return the whole body.

    Raises `TooLarge` before more than `body_bytes_max` are held, `InvalidInput` when it takes longer than
    `body_seconds_max` to come, `ClientGone` when it ends in the middle.
    """
    bytes_max = limit("body_bytes_max")
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > bytes_max:
        raise TooLarge(f"The body has {int(announced)} bytes; at most {bytes_max} are read.")
    seconds_max = limit("body_seconds_max")
    chunks: list[bytes] = []
    size, more = 0, True
    timeout = _Timeout(seconds_max)
    try:
        while more and size <= bytes_max:
            chunk, more = await _receive(receive)
            chunks.append(chunk)
            size += len(chunk)
    except asyncio.CancelledError:
        if not timeout.over:
            raise
        raise InvalidInput(f"The body took more than {seconds_max} seconds to come.", advice="Send it again.") from None
    finally:
        timeout.end()
    if size > bytes_max:
        raise TooLarge(f"The body has more than {bytes_max} bytes.")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class _Timeout:
    """Cancels the task it is made in after some time: `asyncio.timeout` would cost a tenth of a whole decision."""

    __slots__ = ("_task", "_timer", "over")

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        if self._task is not None:
            self.over = True
            self._task.cancel()

    def end(self) -> None:
        """Stop the timer; a task that was canceled here goes on."""
        self._timer.cancel()
        if self.over and self._task is not None:
            self._task.uncancel()


async def _receive(receive: Receive) -> tuple[bytes, bool]:
    """Return the next piece of the body, and whether more is to come."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    return message["body"], message.get("more_body", False)


def read_json(decode: Callable[[bytes], T], body: bytes) -> T:
    """Decode a JSON body with a decoder's `decode`; raises `InvalidInput` that names the field, never its value."""
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The body does not fit: {_without_values(error)}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("The body is not JSON in UTF-8.", advice="Send one JSON value, encoded as UTF-8.") from None
    except RecursionError:
        raise InvalidInput(
            "The body nests too deep.", advice=f"Nest at most {limit('json_depth_max')} levels."
        ) from None


def read_query(scope: Scope, shape: type[T]) -> T:
    """Read the query string into a shape; raises `InvalidInput` for a name it does not have, or one named twice."""
    text = scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        raise InvalidInput("The query string cannot be read.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvalidInput("The query names a field twice.", advice="Name each field once.")
    try:
        return msgspec.convert(fields, shape, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The query does not fit: {_without_values(error)}.") from None


def _without_values(error: msgspec.ValidationError) -> str:
    """Remove what the caller sent from an error of msgspec; the expected type and the place stay."""
    return _QUOTED.sub(r"\1", str(error))
