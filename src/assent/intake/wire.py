"""Segment's calls on the wire: only the fields that are read, so that no other field becomes an object."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

#: The value of a field that was not sent.
NOTHING = Raw()


class Context(msgspec.Struct, gc=False, frozen=True):
    """The consent objects of an event's context; each distinct text is read once."""

    consent: Raw = NOTHING
    consentManagement: Raw = NOTHING  # noqa: N815 - the wire's own name


class Call(msgspec.Struct, gc=False):
    """One call; ids may be numbers, as some clients send them. Properties and traits are read by their own plan."""

    type: str | None = None
    event: str | None = None
    userId: str | int | None = None  # noqa: N815 - the wire's own names
    anonymousId: str | int | None = None  # noqa: N815
    previousId: str | int | None = None  # noqa: N815
    groupId: str | int | None = None  # noqa: N815
    messageId: str | int | None = None  # noqa: N815
    timestamp: str | None = None
    originalTimestamp: str | None = None  # noqa: N815
    sentAt: str | None = None  # noqa: N815
    name: str | None = None
    category: str | None = None
    properties: Raw = NOTHING
    traits: Raw = NOTHING
    context: Context | None = None


class Body(msgspec.Struct, gc=False):
    """A whole body: a batch when `batch` is there, else one call."""

    batch: list[Raw] | None = None
    context: Context | None = None
    sentAt: str | None = None  # noqa: N815 - the wire's own names
    writeKey: str | None = None  # noqa: N815


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One event after minimizing: exactly this is sealed, and nothing else of the call.

    `at_ms` is the corrected time in milliseconds since the epoch.
    """

    type: str
    at_ms: int
    event: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    email: str | None = None
    group_id: str | None = None
    properties: Any = None
    traits: Any = None
    #: The bits of its purposes, where they are fewer than its record's.
    purposes: int | None = None
