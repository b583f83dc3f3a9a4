"""Header policies: the limits on what a browser may do with the answers of each surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Headers as ASGI has them.
Headers = list[tuple[bytes, bytes]]
#: The headers of every answer of one surface.
SurfaceHeaders = Sequence[tuple[bytes, bytes]]

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")

#: For answers to programs: nothing may be loaded, framed or sniffed, and no other site learns the address.
API: Final[SurfaceHeaders] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    _NO_SNIFFING,
    (b"referrer-policy", b"no-referrer"),
)

_PAGES_CSP = (
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
#: For HTML pages: everything comes from this server, images also from the page itself, and no script stands in a page.
PAGES: Final[SurfaceHeaders] = (
    (b"content-security-policy", _PAGES_CSP),
    _NO_SNIFFING,
    # With `no-referrer` a browser would send its forms with `Origin: null`, which a check of the origin must refuse.
    (b"referrer-policy", b"same-origin"),
)

#: For every answer that does not say how long it may be kept.
NO_STORE: Final = (b"cache-control", b"no-store")
#: For every answer over HTTPS.
HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
