"""Purposes as types, so that a permit for one cannot be passed where another is asked for.

The text, legal basis and mappings of each purpose are data in the consent room; only the tags live here.
"""

from __future__ import annotations

from typing import ClassVar


class Purpose:
    """The root of the purpose tags."""

    id: ClassVar[str] = ""
    #: The bit under which a record remembers that it may serve this purpose.
    bit: ClassVar[int] = 0


class Service(Purpose):
    """What the contract needs; not optional."""

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
    """Group attributes, kept apart, to see whether groups are served alike."""

    id = "audit_fairness"
    bit = 16


#: The built-in optional purposes that may keep an event, by id.
TAGS: dict[str, type[Purpose]] = {tag.id: tag for tag in (Service, Personalize, Learn, Message, Measure, AuditFairness)}
