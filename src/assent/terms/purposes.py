"""Purposes as types, so that a permit for one cannot be passed where another is asked for.

The text, legal basis and mappings of each purpose are data in the consent room; only the tags live here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from assent.terms.limits import limit

#: Purposes that may keep events: each has one bit of a history entry.
BITS = limit("event_purposes_max")
#: A mask that every purpose's bit is in.
EVERY_PURPOSE = (1 << BITS) - 1


class Purpose:
    """The root of the purpose tags."""

    id: ClassVar[str] = ""
    #: The bit under which a record remembers that it may serve this purpose.
    bit: ClassVar[int] = 0


class Service(Purpose):
    """The contract needs it; not optional."""

    id = "service"


class Personalize(Purpose):
    """My own history chooses what I see."""

    id = "personalize"
    bit = 1


class Learn(Purpose):
    """My history improves suggestions for everyone."""

    id = "learn"
    bit = 2


class Message(Purpose):
    """Write to me."""

    id = "message"
    bit = 4


class Measure(Purpose):
    """Count whether it helped."""

    id = "measure"
    bit = 8


class AuditFairness(Purpose):
    """Group attributes, kept separately, are compared to see whether groups are served alike."""

    id = "audit_fairness"
    bit = 16


#: The tags that come with the package, by id.
TAGS: dict[str, type[Purpose]] = {tag.id: tag for tag in (Service, Personalize, Learn, Message, Measure, AuditFairness)}
#: The bits of the built-in purposes, by id, of those that have one.
BUILT_IN_BITS: Mapping[str, int] = MappingProxyType({tag.id: tag.bit for tag in TAGS.values() if tag.bit})


@cache
def tag_of(purpose_id: str, bit: int) -> type[Purpose]:
    """Return the tag of a purpose: the built-in one of that id, else one made for it, the same for the same bit."""
    return TAGS.get(purpose_id) or type("DeclaredTag", (Purpose,), {"id": purpose_id, "bit": bit, "__slots__": ()})
