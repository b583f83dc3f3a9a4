"""Links as items carry them: absolute ones with a host that can be read, or paths on the shop's own site."""

from __future__ import annotations

from typing import Final

#: `https://shop.example/tea?size=2` or `/tea`; no address in brackets, which many readers of links trip over.
LINK: Final = r"^(https?://[\w.~%@:-]+([/?#].*)?|/.*)$"
