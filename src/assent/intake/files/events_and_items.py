"""Flat files of events and items: one line is one event, or one item. Columns are found by their names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from assent.catalog import Item
from assent.catalog.item import read_items
from assent.intake.files.consent_column import consent_expression
from assent.intake.files.frames import (
    NDJSON,
    FrameBlock,
    Source,
    blocks,
    find_columns,
    json_lines,
    moment_expression,
    text_id,
)
from assent.terms.errors import AssentError, InvalidInput
from assent.terms.events import ACTION_BY_EVENT
from assent.terms.limits import limit

#: The parts of an event, and the column names of each, letters and digits only.
EVENT_COLUMNS = {
    "user": ("userid", "user", "personid", "person", "customerid", "customer", "memberid"),
    "anonymous": ("anonymousid", "deviceid", "visitorid"),
    "item": ("productid", "product", "itemid", "item", "sku", "stockcode"),
    "event": ("event", "eventname", "eventtype", "action"),
    "at": ("timestamp", "originaltimestamp", "time", "ts", "at", "datetime", "date", "occurredat", "createdat"),
    "quantity": ("quantity", "qty"),
    "price": ("price", "unitprice"),
    "currency": ("currency",),
    "order": ("orderid", "order", "invoiceno", "invoice", "transactionid"),
    "message": ("messageid",),
}
#: Short names of actions in logs.
_ACTS = {
    "view": "Product Viewed",
    "viewed": "Product Viewed",
    "click": "Product Clicked",
    "clicked": "Product Clicked",
    "wish": "Product Added to Wishlist",
    "wishlist": "Product Added to Wishlist",
    "cart": "Product Added",
    "addtocart": "Product Added",
    "add_to_cart": "Product Added",
    "add": "Product Added",
    "buy": "Order Completed",
    "bought": "Order Completed",
    "purchase": "Order Completed",
    "purchased": "Order Completed",
    "transaction": "Order Completed",
    "order": "Order Completed",
}
ITEM_COLUMNS = {
    "id": ("id", "productid", "itemid", "sku", "stockcode", "item", "product"),
    "name": ("name", "title", "productname", "itemname", "description"),
    "price": ("price", "unitprice"),
    "currency": ("currency",),
    "category": ("category", "department"),
    "brand": ("brand", "manufacturer"),
    "url": ("url", "link"),
    "image_url": ("imageurl", "image", "picture"),
    "available": ("available", "instock"),
    "tags": ("tags", "keywords"),
    "released_at": ("releasedat", "released", "releasedate"),
    "first_seen": ("firstseen",),
    "last_seen": ("lastseen",),
}
_NO = frozenset(("false", "no", "n", "0", "f"))
_AHEAD_MS = limit("event_future_seconds_max") * 1000


@dataclass(frozen=True, slots=True)
class EventRows:
    """A block of events in one shape, each row with its outcome: `ready`, `guest` or `bad`."""

    frame: pl.DataFrame
    unreadable: int
    after: int


def event_blocks(
    source: Source, mapping: Mapping[str, str] | None, consent_column: str | None, now_ms: int, start: int = 0
) -> Iterator[EventRows]:
    """Yield a file of events block by block; `mapping` gives the column of a part where the names differ.

    Raises `InvalidInput` when a needed column is missing.
    """
    for block in blocks(source, start):
        if block.frame.height or block.unreadable:
            yield _shaped(block, mapping or {}, consent_column, now_ms)


def _shaped(block: FrameBlock, mapping: Mapping[str, str], consent_column: str | None, now_ms: int) -> EventRows:
    frame = block.frame
    found = find_columns(frame.columns, EVENT_COLUMNS) | dict(mapping)
    for part, column in mapping.items():
        if part not in EVENT_COLUMNS or column not in frame.columns:
            raise InvalidInput("The mapping names a part or a column that does not exist.")
    if frame.height and not ({"event", "at"} <= found.keys() and found.keys() & {"user", "anonymous"}):
        advice = "It needs columns such as user_id, product_id, event and timestamp."
        raise InvalidInput("The file has no column for the person, the event or the time.", advice=advice)
    none = pl.lit(None, dtype=pl.String)

    def text(part: str) -> pl.Expr:
        return (text_id(frame, found[part]) if part in found else none).alias(part)

    def number(part: str) -> pl.Expr:
        if part not in found:
            return pl.lit(None, dtype=pl.Float64).alias(part)
        return _numbers(frame, found[part]).alias(part)

    at = moment_expression(found["at"], frame.schema[found["at"]]) if "at" in found else pl.lit(None, dtype=pl.Int64)
    rows = frame.select(
        *(text(part) for part in ("user", "anonymous", "item", "event", "currency", "order", "message")),
        *(number(part) for part in ("quantity", "price")),
        at.alias("at_ms"),
        consent_expression(frame, consent_column).alias("consent"),
    )
    act = pl.col("event").str.to_lowercase().replace_strict(_ACTS, default=None, return_dtype=pl.String)
    rows = rows.with_columns(pl.coalesce(act, pl.col("event")).alias("event"))
    bad = (
        pl.col("event").is_null()
        | pl.col("at_ms").is_null()
        | ~pl.col("at_ms").is_between(0, now_ms + _AHEAD_MS)
        | (pl.col("event").is_in(list(ACTION_BY_EVENT)) & pl.col("item").is_null())
        | ~pl.all_horizontal(pl.col("quantity", "price").is_finite().fill_null(value=True))
    )
    outcome = (
        pl.when(pl.col("user").is_null() & pl.col("anonymous").is_null())
        .then(pl.lit("guest"))
        .when(bad.fill_null(value=True))
        .then(pl.lit("bad"))
        .otherwise(pl.lit("ready"))
    )
    person = pl.coalesce("user", "anonymous").alias("person")
    return EventRows(rows.with_columns(outcome.alias("outcome"), person), block.unreadable, block.after)


def _numbers(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Return a column as float64: an empty value is null, and a text that is not a number is NaN."""
    if frame.schema[column] != pl.String:
        return pl.col(column).cast(pl.Float64, strict=False)
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text.cast(pl.Float64, strict=False).fill_null(math.nan))


def properties_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's properties in Segment's names; an order has a list of products."""
    product = {"product_id": row["item"], "quantity": row["quantity"], "price": row["price"]}
    product = {name: value for name, value in product.items() if value is not None}
    properties = {"order_id": row["order"], "currency": row["currency"]}
    properties = {name: value for name, value in properties.items() if value is not None}
    return {**properties, "products": [product]} if row["event"] == "Order Completed" else {**properties, **product}


def item_blocks(source: Source, start: int = 0) -> Iterator[tuple[list[Item], int, int]]:
    """Yield a file of items block by block: the items, the number of unreadable lines, and the position after them."""
    if source.kind == NDJSON:
        for lines, after in json_lines(source, start):
            items = [item for line in lines if (item := _item(line)) is not None]
            yield items, len(lines) - len(items), after
        return
    for block in blocks(source, start):
        found = find_columns(block.frame.columns, ITEM_COLUMNS)
        if not {"id", "name"} <= found.keys():
            raise InvalidInput("The file has no column for id or name.", advice="Name two columns id and name.")
        read = [_item(msgspec.json.encode(_item_facts(row, found))) for row in block.frame.iter_rows(named=True)]
        items = [item for item in read if item is not None]
        yield items, len(read) - len(items), block.after


def _item(text: bytes) -> Item | None:
    try:
        return read_items(text)[0]
    except (AssentError, IndexError):
        return None


def _item_facts(row: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    """Return one row as the fields of an item; all other columns become properties."""
    facts: dict[str, Any] = {}
    for part, column in found.items():
        value = row[column]
        if value is None or str(value).strip() == "":
            continue
        if part == "price":
            facts[part] = _number(value)
        elif part == "available":
            facts[part] = str(value).strip().lower() not in _NO
        elif part == "tags":
            facts[part] = [tag.strip() for tag in str(value).replace("|", ",").split(",") if tag.strip()]
        elif part == "id" and isinstance(value, float) and value.is_integer():
            facts[part] = str(int(value))
        else:
            facts[part] = str(value).strip()
    used = set(found.values())
    extra = {
        column: value
        for column, value in row.items()
        if column not in used and isinstance(value, str | int | float | bool) and value != ""
    }
    return {**facts, "properties": extra} if extra else facts


def _number(value: Any) -> Any:
    """Return a finite number, or another value, which no item accepts."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return number if math.isfinite(number) else str(value)
