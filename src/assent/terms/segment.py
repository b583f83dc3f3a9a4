"""Segment's calls: the names by which its clients send events, in a path or in the field `type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The calls that send events, each with its short name.
CALLS: Final[Mapping[str, str]] = {
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
    "batch": "b",
}

#: The calls that one event can be.
EVENT_CALLS: Final = frozenset(CALLS) - {"batch"}

#: Each call by every name it goes by; `metrics` is what a browser client sends about itself.
CALL_BY_NAME: Final[Mapping[str, str]] = {
    **{call: call for call in CALLS},
    **{short: call for call, short in CALLS.items()},
    "m": "metrics",
}
