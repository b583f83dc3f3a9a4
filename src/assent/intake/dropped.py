"""Why an event was dropped: one stable word each, and what it means; the words are the labels under /metrics."""

from __future__ import annotations

REASONS = {
    "malformed": "The event is not an object of the shape that Segment's specification describes.",
    "too_large": "The event has more bytes than event_bytes_max.",
    "too_deep": "The event nests deeper than json_depth_max.",
    "too_many_products": "The event lists more products than products_per_event_max.",
    "unknown_type": "The event's type is none of identify, track, page, screen, group, alias.",
    "no_identifier": "The event has neither userId nor anonymousId.",
    "identifier_invalid": "An id is longer than identifier_chars_max, or has a zero byte.",
    "message_id_too_long": "The messageId is longer than message_id_chars_max.",
    "bad_timestamp": "The timestamp is not ISO 8601.",
    "too_old": "The event happened longer ago than event_age_days_max.",
    "in_future": "The event lies further ahead than event_future_seconds_max.",
    "duplicate": "The same event was taken in before.",
    "no_consent": "No purpose has the person's consent.",
    "signal": "The consent object of the event or its batch says no to every purpose that the person had agreed to.",
    "unreadable": "The consent object of the event or its batch cannot be read, so it is no yes.",
    "gpc": "Global Privacy Control refused every purpose that the person had consented to.",
    "suppressed": "The person was erased, or is being erased, and has not consented anew.",
    "alias_refused": "The alias names a person who is known by a user id of their own.",
}


class Dropped(Exception):
    """One event will not be kept, for a reason of the table."""

    def __init__(self, reason: str) -> None:
        """Name the reason."""
        super().__init__(reason)
        self.reason = reason
