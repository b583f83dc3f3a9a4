"""The shaper: a call as it arrived becomes an event as it is kept, with the items that it names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from assent.intake.allow import AllowList, keep
from assent.intake.body import deeper_than
from assent.intake.drops import DroppedEvent
from assent.intake.times import read_moment
from assent.intake.wire import Call, Event
from assent.terms.clock import DAY_MS
from assent.terms.limits import limit
from assent.terms.refusals import (
    BAD_TIMESTAMP,
    IDENTIFIER_INVALID,
    IN_FUTURE,
    MALFORMED,
    MESSAGE_ID_TOO_LONG,
    NO_IDENTIFIER,
    TOO_DEEP,
    TOO_MANY_PRODUCTS,
    TOO_OLD,
)

_CHARS_MAX = limit("identifier_chars_max")
_ITEM_CHARS_MAX = limit("item_id_chars_max")
_EVENT_ID_CHARS_MAX = limit("message_id_chars_max")
_PRODUCTS_MAX = limit("products_per_event_max")
_AGE_MS = limit("event_age_days_max") * DAY_MS
_AHEAD_MS = limit("event_future_seconds_max") * 1000
_NAME_CHARS_MAX = limit("event_name_chars_max")
_DEPTH_MAX = limit("json_depth_max") - 1
#: The JSON texts of empty properties and traits.
_EMPTY = frozenset((b"", b"{}", b"null"))
_LONGEST_EMPTY = 4
#: As numbers: looking for one byte in bytes is four times as fast that way.
_OBJECT, _LIST, _SLASH = b"{[/"
_pack = msgspec.msgpack.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_NO_FIELDS: frozenset[str] = frozenset()

#: An action of an event: its code (0 for none), and the ids of its items.
Deed = tuple[int, Sequence[str]]
NO_DEED: Deed = (0, ())


def clean_id(value: str | int | None) -> str | None:
    """Return an id as trimmed text, None without one; raises `DroppedEvent` for one too long or with a NUL."""
    if value is None:
        return None
    text = value if type(value) is str else whole_text(value)
    text = text.strip()
    if len(text) > _CHARS_MAX or "\x00" in text:
        raise DroppedEvent(IDENTIFIER_INVALID)
    return text or None


def whole_text(value: Any) -> str:
    """Return a whole number as text; raises `DroppedEvent` for one past 64 bits, which is no id."""
    if abs(value) >= 1 << 64:
        raise DroppedEvent(IDENTIFIER_INVALID)
    return str(value)


def clean_event_id(value: str | int) -> str:
    """Return the id of an event (Segment's `messageId`) as text; raises `DroppedEvent` for one that is too long."""
    text = value if type(value) is str else whole_text(value)
    if len(text) > _EVENT_ID_CHARS_MAX:
        raise DroppedEvent(MESSAGE_ID_TOO_LONG)
    return text


def read_time(call: Call, sent_ms: int | None, received_ms: int) -> int:
    """Return the time of a call's event, corrected for the client's clock, never after `received_ms`.

    `sent_ms` is the time when the batch was sent, by the client's clock; a call's own `sentAt` goes before it. The
    event happened as long before its receipt, by our clock, as before its sending, by the client's (Segment's
    specification of `timestamp`, `originalTimestamp` and `sentAt`). Milliseconds since the epoch. Raises
    `DroppedEvent` for a timestamp that cannot be read, is too old or too far ahead.
    """
    text = call.originalTimestamp or call.timestamp
    if not text:
        return received_ms
    at_ms = read_moment(text)
    if at_ms is None:
        raise DroppedEvent(BAD_TIMESTAMP)
    if call.sentAt:
        sent_ms = read_moment(call.sentAt)
    if sent_ms is not None:
        at_ms += received_ms - sent_ms
    if at_ms > received_ms:
        if at_ms > received_ms + _AHEAD_MS:
            raise DroppedEvent(IN_FUTURE)
        return received_ms
    if at_ms < received_ms - _AGE_MS:
        raise DroppedEvent(TOO_OLD)
    return at_ms


class Shaper:
    """Fills events with the fields that one allow-list keeps."""

    def __init__(self, allow: AllowList, products_max: int | None = _PRODUCTS_MAX) -> None:
        """Keep what `allow` lists; an event may list `products_max` products (None: any number)."""
        self._allow = allow
        self._plans = allow.plans
        self._products_max = sys.maxsize if products_max is None else products_max

    def track(self, event: Event, name: str | None, properties: bytes) -> Deed:
        """Fill in the fields of a `track` of that name (`properties`: JSON text); return its action and items.

        Raises `DroppedEvent` for an event without a name, properties that are no object or nest too deeply, and for
        one that lists too many products.
        """
        if not name or len(name) > _NAME_CHARS_MAX:
            raise DroppedEvent(MALFORMED)
        event.event = name
        if len(properties) <= _LONGEST_EMPTY and properties in _EMPTY:
            return NO_DEED
        plan = self._plans.get(name, self._allow.other)
        decode = plan.decode
        if decode is None or _LIST in properties or properties.find(_OBJECT, 1) > 0:
            return self.track_values(event, name, read_object(properties))
        try:
            kept = event.properties = decode(properties)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self.track_values(event, name, read_object(properties))
        if _SLASH in properties and _SLASH in _pack(kept):  # or a number that looks like it, which does no harm
            return self.track_values(event, name, read_object(properties))
        code = plan.code
        if not code:
            return NO_DEED
        item = kept.product_id or kept.sku
        if type(item) is not str:
            item = item_id(item)
        item = item.strip()
        return (code, (item,)) if item and len(item) <= _ITEM_CHARS_MAX else NO_DEED

    def track_values(self, event: Event, name: str, properties: dict[str, Any]) -> Deed:
        """Do the same as `track` with properties that are already values; raises `DroppedEvent`."""
        event.event = name
        fields, code, _ = self._plans.get(name, self._allow.other)
        kept = keep(properties, fields) if fields else {}
        products = properties.get("products")
        if type(products) is list:
            if len(products) > self._products_max:
                raise DroppedEvent(TOO_MANY_PRODUCTS)
            if "products" in fields:
                kept["products"] = [keep(each, self._allow.products) for each in products if type(each) is dict]
        event.properties = kept or None
        if not code:
            return NO_DEED
        return code, item_ids(products) if type(products) is list else item_ids([properties])

    def other(self, event: Event, call: Call) -> Deed:
        """Fill in the fields of a call other than `track`; raises `DroppedEvent` for an alias without both ids."""
        kind = event.type
        if kind == "identify":
            traits = read_object(bytes(call.traits))
            event.traits = keep(traits, self._allow.traits) or None
            event.email = _email(traits.get("email"))
        elif kind == "alias":
            event.previous_id = clean_id(call.previousId)
            if event.previous_id is None or event.user_id is None:
                raise DroppedEvent(NO_IDENTIFIER)
        elif kind == "group":
            event.group_id = clean_id(call.groupId)
        else:
            properties = read_object(bytes(call.properties))
            if call.category is not None:
                properties.setdefault("category", call.category)
            event.properties = keep(properties, self._allow.calls.get(kind, _NO_FIELDS)) or None
        return NO_DEED


def read_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object as a dict; raises `DroppedEvent` when it nests too deeply, or is no object."""
    if text in _EMPTY:
        return {}
    if deeper_than(text, _DEPTH_MAX):
        raise DroppedEvent(TOO_DEEP)
    try:
        return _decode_object(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DroppedEvent(MALFORMED) from None


def item_ids(products: Sequence[Any]) -> list[str]:
    """Return the ids of the items in a list of products: of each its `product_id`, or else its `sku`."""
    ids = [item_id(each.get("product_id") or each.get("sku")) for each in products if type(each) is dict]
    return [item for item in ids if item]


def item_id(value: object) -> str:
    """Return an item's id as text; empty for a value that cannot be an id."""
    text = str(value) if type(value) is int and abs(value) < 1 << 64 else value
    text = text.strip() if type(text) is str else ""
    return text if len(text) <= _ITEM_CHARS_MAX else ""


def _email(value: object) -> str | None:
    """Return an e-mail address trimmed and in lower case, None for anything else."""
    if type(value) is not str:
        return None
    text = value.strip().lower()
    name, mark, host = text.rpartition("@")
    return text if mark and name and host and len(text) <= _CHARS_MAX and "\x00" not in text else None
