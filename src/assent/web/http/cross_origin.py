"""Cross-origin requests: the headers that let pages of other sites call an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from litestar.types import Scope

from assent.web.http.policies import Headers
from assent.web.http.requests import header

#: Headers of the answer to a preflight request.
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"86400"),
]


def no_headers(_: Scope) -> Headers:
    """Return no headers, for operations that pages of this origin alone may call."""
    return []


def origin_headers(origins: Sequence[str]) -> Callable[[Scope], Headers]:
    """Return the function that writes the headers for a request: `*` allows every origin; never with cookies."""
    if "*" in origins:
        every: Headers = [(b"access-control-allow-origin", b"*")]
        return lambda _: every
    listed = frozenset(origin.encode() for origin in origins)

    def headers(scope: Scope) -> Headers:
        origin = header(scope, b"origin")
        allowed: Headers = [(b"access-control-allow-origin", origin)] if origin is not None and origin in listed else []
        return [*allowed, (b"vary", b"origin")]

    return headers
