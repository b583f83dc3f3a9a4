"""The address of a store: a path, `sqlite:///path` or `postgresql://user@host/database`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from assent.terms.errors import InvalidInput

Dialect = Literal["sqlite", "postgresql"]

SERVERS = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


@dataclass(frozen=True, slots=True)
class Address:
    """The place of a store: `url` may have a password, `shown` never has; `path` is None on a server."""

    url: str = field(repr=False)
    shown: str
    dialect: Dialect
    path: Path | None


def read_address(url: str | Path) -> Address:
    """Read a path or URL; raises `InvalidInput` for a URL of another kind."""
    text = str(url)
    scheme, separator, rest = text.partition("://")
    if not separator and text:
        return Address(text, text, "sqlite", Path(text))
    if scheme == "sqlite" and rest.startswith("/") and rest != "/":
        return Address(text, text, "sqlite", Path(rest[1:]))
    if scheme in SERVERS:
        server = f"postgresql://{rest}"
        parts = urlsplit(server)
        place = parts.netloc.rpartition("@")[2]
        return Address(server, f"postgresql://{place}{parts.path}", "postgresql", None)
    raise InvalidInput(
        "The store's URL is not of a kind that assent knows.",
        advice="Use a path, sqlite:///path or postgresql://user@host/database.",
    )


def path_of(url: str | Path) -> Path | None:
    """Return the file of a store by its URL or path, None for a store on a server; raises `InvalidInput`."""
    return read_address(url).path
