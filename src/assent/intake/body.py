"""Bodies: bytes become JSON text that is safe to read, inflated within bounds, UTF-8, not too deep."""

from __future__ import annotations

import re
import zlib

import numpy as np

from assent.terms.errors import InvalidInput, TooLarge
from assent.terms.limits import limit

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_STEPS = bytes.maketrans(b"{[}]", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{[}]"))
_ENCODINGS = frozenset(("", "identity", "gzip", "x-gzip"))


def plain_body(body: bytes, content_encoding: str | None) -> bytes:
    """Return the body's JSON text as bytes that are valid UTF-8, inflated if they are gzip.

    Gzip is recognized by its first bytes, not by the header: proxies inflate and keep the header, clients compress and
    leave it out. Raises `TooLarge` past `body_bytes_max` or `body_inflated_bytes_max`, `InvalidInput` for
    another encoding, broken gzip and text that is not UTF-8.
    """
    if len(body) > limit("body_bytes_max"):
        raise TooLarge(f"The body has {len(body)} bytes; at most {limit('body_bytes_max')} are read.")
    if body.startswith(_GZIP_MAGIC):
        body = _inflate(body, limit("body_inflated_bytes_max"))
    elif (content_encoding or "").strip().lower() not in _ENCODINGS:
        raise InvalidInput("The body's Content-Encoding is not one that is read.", advice="Send plain JSON or gzip.")
    try:
        _ = body.isascii() or body.decode()
    except UnicodeDecodeError:
        raise InvalidInput("The body is not UTF-8 text.", advice="Encode the JSON as UTF-8.") from None
    return body


def _inflate(body: bytes, bytes_max: int) -> bytes:
    """Inflate gzip, member by member, never holding more than the bound."""
    parts: list[bytes] = []
    size = 0
    while body:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(body, bytes_max + 1 - size)
        except zlib.error:
            raise InvalidInput("The body looks like gzip and cannot be inflated.", advice="Send it again.") from None
        parts.append(part)
        size += len(part)
        if size > bytes_max:
            raise TooLarge(f"The body inflates to more than {bytes_max} bytes.")
        if not member.eof:
            raise InvalidInput("The gzip body ends too early.", advice="Send the whole body.")
        body = member.unused_data
    return b"".join(parts)


def deeper_than(text: bytes, levels_max: int) -> bool:
    """Tell whether JSON text nests deeper than `levels_max`; brackets inside strings do not count."""
    if text.count(b"{") + text.count(b"[") <= levels_max:
        return False
    steps = _STRINGS.sub(b"", text).translate(_STEPS, _NOT_BRACKETS)
    depths = np.cumsum(np.frombuffer(steps, dtype=np.int8), dtype=np.int32)
    return bool(len(depths)) and int(depths.max()) > levels_max
