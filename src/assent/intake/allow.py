"""The allow-list: the fields of an event that may be kept. All others are dropped and only counted."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from assent.terms.errors import InvalidInput
from assent.terms.events import ACTION_BY_EVENT
from assent.terms.limits import limit

BUILT_IN = Path(__file__).with_name("allow.toml")
_TABLES = ("track", "products", "calls", "traits")
#: The event that stands for every event without a line of its own.
EVERY_EVENT = "*"
#: Whole numbers past 64 bits have no place in a sealed record.
_LARGEST_INT64 = 2**63 - 1
_TEXT_CHARS_MAX = limit("property_chars_max")
_LINKS = frozenset(("url", "path"))
#: The fields that name the item which an event is about.
ITEM_FIELDS = frozenset(("product_id", "sku"))


#: The types of a plain value. Any other value is read field by field, and left out.
Plain = (
    Annotated[str, msgspec.Meta(max_length=_TEXT_CHARS_MAX)]
    | Annotated[int, msgspec.Meta(ge=-_LARGEST_INT64, le=_LARGEST_INT64)]
    | float
    | bool
    | None
)

#: Reads properties of the usual shape at once into a struct of the allowed fields; raises for any other shape.
Decode = Callable[[bytes], Any]


class EventPlan(NamedTuple):
    """The plan for a `track` of one name: the properties that are kept, and the code of its action (0 for none).

    `decode` is set where all fields are plain, and the fields that name the item of an action are among them.
    """

    fields: frozenset[str]
    code: int
    decode: Decode | None = None


@dataclass(frozen=True, slots=True)
class AllowList:
    """The fields kept: by event name for `track`, by call for the others, of each product, of a person's traits."""

    track: Mapping[str, frozenset[str]]
    calls: Mapping[str, frozenset[str]]
    products: frozenset[str]
    traits: frozenset[str]
    #: The plan for a `track`, by event name; `other` is the plan for all other names.
    plans: Mapping[str, EventPlan] = field(init=False)
    other: EventPlan = field(init=False)

    def __post_init__(self) -> None:
        """Make the plans once, for the hot path."""
        every = self.track.get(EVERY_EVENT, frozenset())
        names = self.track.keys() | ACTION_BY_EVENT.keys()
        codes = {event: action.code for event, action in ACTION_BY_EVENT.items()}
        plans = {event: self._plan(self.track.get(event, every), codes.get(event, 0)) for event in names}
        object.__setattr__(self, "plans", plans)
        object.__setattr__(self, "other", EventPlan(every, 0))

    def _plan(self, fields: frozenset[str], code: int) -> EventPlan:
        if not fields or "products" in fields or (code and not fields >= ITEM_FIELDS) or fields & _LINKS:
            return EventPlan(fields, code)
        rows = [(each, Plain, None) for each in sorted(fields)]
        kept = msgspec.defstruct("Properties", rows, omit_defaults=True, gc=False)
        return EventPlan(fields, code, msgspec.json.Decoder(kept).decode)

    @classmethod
    def load(cls, path: Path | None = None) -> AllowList:
        """Read the list that ships with the package, or the operator's own; raises `InvalidInput` for a wrong shape."""
        try:
            tables = tomllib.loads((BUILT_IN if path is None else path).read_text(encoding="utf-8"))
            if sorted(tables) != sorted(_TABLES):
                raise TypeError
            track = {event: _names(names) for event, names in tables["track"].items()}
            calls = {call: _names(names) for call, names in tables["calls"].items()}
            return cls(track, calls, _names(tables["products"]["keep"]), _names(tables["traits"]["identify"]))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError, AttributeError):
            advice = f"Give it the tables {', '.join(_TABLES)} with lists of field names."
            raise InvalidInput("The allow-list cannot be read.", advice=advice) from None


def _names(value: Any) -> frozenset[str]:
    """Return a list of field names; raises `TypeError` when it is anything else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError
    return frozenset(value)


def keep(values: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    """Return the allowed plain values: text, numbers, yes and no; URLs lose query, fragment and user."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name in allowed:
            kind = type(value)
            if kind is str:
                if len(value) <= _TEXT_CHARS_MAX:
                    kept[name] = plain_url(value) if "/" in value or name in _LINKS else value
            elif kind is float or kind is bool or (kind is int and -_LARGEST_INT64 <= value <= _LARGEST_INT64):
                kept[name] = value
    return kept


def plain_url(text: str) -> str:
    """Return a URL or path without query, fragment, user and password."""
    for mark in ("?", "#", ";"):
        text = text.partition(mark)[0]
    scheme, slashes, rest = text.partition("//")
    if slashes:
        host, slash, path = rest.partition("/")
        text = f"{scheme}//{host.rpartition('@')[2]}{slash}{path}"
    return text
