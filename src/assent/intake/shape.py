"""One call as it arrived becomes one event as it is kept: who, when, what, and the goods it names."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from assent.intake.allow import AllowList, keep
from assent.intake.moments import read_moment
from assent.intake.reasons import Dropped
from assent.intake.wire import Call, Event
from assent.terms.clock import DAY_MS
from assent.terms.limits import limit

_CHARS_MAX = limit("identifier_chars_max")
_ITEM_CHARS_MAX = limit("item_id_chars_max")
_MESSAGE_CHARS_MAX = limit("message_id_chars_max")
_PRODUCTS_MAX = limit("products_per_event_max")
_AGE_MS = limit("event_age_days_max") * DAY_MS
_AHEAD_MS = limit("event_future_seconds_max") * 1000
_NAME_CHARS_MAX = 200
_NO_FIELDS: frozenset[str] = frozenset()

#: What an event says about items: the code of the act (0 for none), and the items' ids.
Deed = tuple[int, Sequence[str]]
NO_DEED: Deed = (0, ())


def clean_id(value: str | int | None) -> str | None:
    """Return an id trimmed and as text, None when there is none; raises `Dropped` for one too long or with a zero byte."""
    if value is None:
        return None
    text = value if type(value) is str else whole_text(value)
    text = text.strip()
    if len(text) > _CHARS_MAX or "\x00" in text:
        raise Dropped("identifier_invalid")
    return text or None


def whole_text(value: Any) -> str:
    """Return a whole number as text; raises `Dropped` for one past 64 bits, which is no id."""
    if abs(value) >= 1 << 64:
        raise Dropped("identifier_invalid")
    return str(value)


def clean_message_id(value: str | int) -> str:
    """Return a message id as text; raises `Dropped` for one that is too long."""
    text = value if type(value) is str else whole_text(value)
    if len(text) > _MESSAGE_CHARS_MAX:
        raise Dropped("message_id_too_long")
    return text


def read_time(call: Call, sent_ms: int | None, received_ms: int) -> int:
    """Return when the call's event happened, corrected for the client's clock, never after `received_ms`.

    `sent_ms` is when the batch was sent, by the client's clock; a call's own `sentAt` goes before it. An event happened
    as long before it was received, by our clock, as it happened before it was sent, by the client's (Segment's
    specification of `timestamp`, `originalTimestamp` and `sentAt`). Milliseconds since the epoch. Raises `Dropped` for a
    timestamp that is no moment, too old or too far ahead.
    """
    text = call.originalTimestamp or call.timestamp
    if not text:
        return received_ms
    at_ms = read_moment(text)
    if at_ms is None:
        raise Dropped("bad_timestamp")
    if call.sentAt:
        sent_ms = read_moment(call.sentAt)
    if sent_ms is not None:
        at_ms += received_ms - sent_ms
    if at_ms > received_ms:
        if at_ms > received_ms + _AHEAD_MS:
            raise Dropped("in_future")
        return received_ms
    if at_ms < received_ms - _AGE_MS:
        raise Dropped("too_old")
    return at_ms


class Shaper:
    """Fills events under one allow-list; `left_out` counts the fields that are not kept."""

    def __init__(self, allow: AllowList, products_max: int | None = _PRODUCTS_MAX) -> None:
        """Hold what may be kept, and how many products an event may list (None: any number)."""
        self._allow = allow
        self._plans = allow.plans
        self._products_max = sys.maxsize if products_max is None else products_max
        self.left_out = 0

    def track(self, event: Event, call: Call) -> Deed:
        """Fill in what a `track` tells; return what it says about items.

        Raises `Dropped` for an event without a name, and for one that lists too many products.
        """
        name = call.event
        if not name or len(name) > _NAME_CHARS_MAX:
            raise Dropped("malformed")
        event.event = name
        properties = call.properties
        if not properties:
            return NO_DEED
        fields, code = self._plans.get(name, self._allow.other)
        kept = keep(properties, fields) if fields else {}
        self.left_out += len(properties) - len(kept)
        if "products" in properties:
            self._list_products(properties["products"], fields, kept)
        if kept:
            event.properties = kept
        if not code:
            return NO_DEED
        if "products" in properties:
            return code, goods(properties["products"])
        item = item_of(properties)
        return (code, (item,)) if item else NO_DEED

    def _list_products(self, products: Any, fields: frozenset[str], kept: dict[str, Any]) -> None:
        if type(products) is not list:
            return
        if len(products) > self._products_max:
            raise Dropped("too_many_products")
        if "products" in fields:
            kept["products"] = [self._kept(each, self._allow.products) for each in products if type(each) is dict]
            self.left_out -= 1

    def other(self, event: Event, call: Call) -> Deed:
        """Fill in what a call other than `track` tells; raises `Dropped` for an alias that lacks one of its two ids."""
        kind = event.type
        if kind == "identify":
            traits = call.traits or {}
            event.traits = self._kept(traits, self._allow.traits) or None
            event.email = _email(traits.get("email"))
            self.left_out -= event.email is not None
        elif kind == "alias":
            event.previous_id = clean_id(call.previousId)
            if event.previous_id is None or event.user_id is None:
                raise Dropped("no_identifier")
        elif kind == "group":
            event.group_id = clean_id(call.groupId)
        else:
            properties = call.properties or {}
            if call.category is not None:
                properties = {"category": call.category, **properties}
            event.properties = self._kept(properties, self._allow.calls.get(kind, _NO_FIELDS)) or None
        return NO_DEED

    def _kept(self, values: dict[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
        kept = keep(values, allowed) if allowed else {}
        self.left_out += len(values) - len(kept)
        return kept


def goods(products: Any) -> list[str]:
    """Return the ids of the items in a list of products."""
    if type(products) is not list:
        return []
    return [item for each in products if type(each) is dict and (item := item_of(each))]


def item_of(product: Mapping[str, Any]) -> str:
    """Return a product's item id, `product_id` or else `sku`; empty when it has none that can be one."""
    item = product.get("product_id") or product.get("sku")
    if type(item) is int and abs(item) < 1 << 64:
        item = str(item)
    return item.strip() if type(item) is str and len(item) <= _ITEM_CHARS_MAX else ""


def _email(value: object) -> str | None:
    """Return an e-mail address trimmed and in lower case, None for anything else."""
    if type(value) is not str:
        return None
    text = value.strip().lower()
    name, mark, host = text.rpartition("@")
    return text if mark and name and host and len(text) <= _CHARS_MAX and "\x00" not in text else None
