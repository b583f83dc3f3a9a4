"""One item's facts: the fields that exist, and how they are read from JSON, NDJSON and mappings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from assent.terms.errors import InvalidInput, TooLarge
from assent.terms.limits import limit
from assent.terms.links import LINK

_ID_CHARS_MAX = limit("item_id_chars_max")
_BYTES_MAX = limit("item_bytes_max")
_ITEMS_MAX = limit("items_per_request_max")
#: Characters that an item id may not have: those that cannot be seen, and those that a URL's path would lose.
_NOT_IN_ID = re.compile(r"[\x00-\x1f\x7f]")
_LINK = re.compile(LINK)
_CURRENCY = re.compile(r"[A-Z]{3}")
_TAGS_MAX = limit("item_tags_max")
_NAME_CHARS_MAX = limit("item_name_chars_max")

MOMENTS = ("released_at", "first_seen", "last_seen")
#: Facts with columns of their own, beside the JSON of the other facts.
COLUMNS = frozenset(("id", "name", "available", "first_seen", "last_seen"))

Value = str | int | float | bool | None


class Item(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """One item as the shop describes it; facts without a field of their own go into `properties`.

    `price` is in whole units of `currency` (ISO 4217); the moments are ISO 8601, in UTC where they name no zone.
    `first_seen` and `last_seen` only widen the stored time span of an item.
    """

    id: str
    name: str
    price: float | None = None
    currency: str | None = None
    category: str | None = None
    brand: str | None = None
    description: str | None = None
    url: str | None = None
    image_url: str | None = None
    available: bool = True
    tags: tuple[str, ...] = ()
    released_at: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    properties: dict[str, Value] | None = None


class _Many(msgspec.Struct):
    items: list[Raw] | UnsetType = UNSET


_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_many = msgspec.json.Decoder(_Many).decode
_decode_item = msgspec.json.Decoder(Item).decode
_encode = msgspec.json.Encoder().encode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_items(given: Iterable[Mapping[str, Any]] | bytes) -> list[Item]:
    """Read items from mappings, or from bytes that are a JSON array, one object, `{"items": [...]}` or NDJSON.

    Raises `InvalidInput` that names the item (or line) and the field, `TooLarge` past `items_per_request_max` items.
    """
    items: list[Item] = []
    for place, text in _texts(given):
        if len(items) == _ITEMS_MAX:
            raise TooLarge(f"There are more than {_ITEMS_MAX} items.", advice="Send them in several requests.")
        items.append(_read(place, text))
    return items


def _texts(given: Iterable[Mapping[str, Any]] | bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each item's JSON text with the words that name its place."""
    if isinstance(given, bytes):
        return _texts_of_body(given)
    return ((f"Item {number}", _encoded(number, each)) for number, each in enumerate(given, 1))


def _encoded(number: int, item: Mapping[str, Any]) -> bytes:
    try:
        return _encode(item)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidInput(f"Item {number} holds a value that JSON does not have.") from None


def _texts_of_body(body: bytes) -> Iterator[tuple[str, bytes]]:
    text = body.strip()
    if not text:
        raise InvalidInput("The body is empty.", advice="Send items as JSON or NDJSON.")
    try:
        if text.startswith(b"["):
            return _numbered("Item", map(bytes, _decode_list(text)))
        many = _decode_many(text).items
    except msgspec.ValidationError:
        raise InvalidInput("The body is JSON, but neither an item nor a list of items.") from None
    except _UNREADABLE:
        if text.startswith(b"["):
            raise InvalidInput("The list of items is not JSON.", advice="Check the brackets and the UTF-8.") from None
        return _numbered("Line", text.splitlines())
    return iter([("Item 1", text)]) if many is UNSET else _numbered("Item", map(bytes, many))


def _numbered(word: str, texts: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    return ((f"{word} {number}", text) for number, text in enumerate(texts, 1) if text.strip())


def _read(place: str, text: bytes) -> Item:
    if len(text) > _BYTES_MAX:
        raise TooLarge(f"{place} has more than {_BYTES_MAX} bytes.", advice="Link pictures and long texts instead.")
    try:
        item = _decode_item(text)
    except msgspec.ValidationError as error:
        advice = "CatalogFacts without a field of their own go into `properties`."
        raise InvalidInput(f"{place} is not an item: {str(error)[:200]}.", advice=advice) from None
    except _UNREADABLE:
        raise InvalidInput(f"{place} is not JSON.", advice="Send one JSON object for each item, as UTF-8.") from None
    fault = _fault(item)
    if fault is not None:
        raise InvalidInput(f"{place}: {fault}")
    return item


def _fault(item: Item) -> str | None:
    """Return a sentence on the first wrong value of an item, None when all are right."""
    if not 1 <= len(item.id) <= _ID_CHARS_MAX or item.id != item.id.strip() or _NOT_IN_ID.search(item.id):
        return f"id must have 1 to {_ID_CHARS_MAX} visible characters and no space at its ends."
    if not 1 <= len(item.name.strip()) <= _NAME_CHARS_MAX or "\x00" in item.name:
        return f"name must have 1 to {_NAME_CHARS_MAX} characters."
    if item.price is not None and not (isfinite(item.price) and item.price >= 0):
        return "price must be 0 or more."
    if item.currency is not None and not _CURRENCY.fullmatch(item.currency):
        return "currency must be three capital letters, such as EUR."
    if len(item.tags) > _TAGS_MAX:
        return f"tags must be at most {_TAGS_MAX}."
    for name in MOMENTS:
        moment = getattr(item, name)
        if moment is not None and moment_ms(moment) is None:
            return f"{name} must be a date or moment in ISO 8601, such as 2026-01-31."
    for name in ("url", "image_url"):
        link = getattr(item, name)
        if link is not None and not _LINK.fullmatch(link):
            return f"{name} must be a link such as https://shop.example/tea, or begin with /."
    return None


def moment_ms(text: str) -> int | None:
    """Return an ISO 8601 date or moment as milliseconds since the epoch, None when it is neither."""
    try:
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def facts_of(item: Item) -> str:
    """Return an item's facts as canonical JSON text, without those that have columns of their own."""
    whole = msgspec.to_builtins(item)
    facts = {name: value for name, value in whole.items() if name not in COLUMNS}
    return msgspec.json.encode(facts, order="sorted").decode()
