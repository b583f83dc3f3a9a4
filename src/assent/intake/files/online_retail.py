"""The shape of UCI Online Retail: invoice lines become orders and goods, and every line is accounted for.

Source: D. Chen, Online Retail, UCI Machine Learning Repository, 2015. A line belongs to an invoice; one that begins
with C is a cancellation; a line without a customer is a guest's; a code that does not begin with five digits is
postage, a discount, a fee.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from assent.catalog import Item
from assent.intake.files.consent_column import consent_expression, consent_texts_of
from assent.intake.files.frames import (
    CSV,
    PARQUET,
    Source,
    csv_frame,
    find_columns,
    heading_of,
    moment_expression,
    text_id,
)
from assent.terms.clock import to_text
from assent.terms.errors import InvalidInput

#: The outcomes of lines, in the order of their checks.
OUTCOMES = ("cancelled", "not_goods", "guest", "bad", "imported")
CURRENCY = "GBP"

_COLUMNS = {
    "invoice": ("invoiceno", "invoice"),
    "code": ("stockcode",),
    "description": ("description",),
    "quantity": ("quantity",),
    "date": ("invoicedate",),
    "price": ("unitprice", "price"),
    "customer": ("customerid",),
}
_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:'[A-Za-zÀ-ÿ]+)*")


@dataclass(frozen=True, slots=True)
class Order:
    """One invoice of a known customer; time in milliseconds since the epoch, `lines` of the file."""

    customer: str
    invoice: str
    at_ms: int
    products: list[dict[str, Any]]
    total: float
    lines: int


@dataclass(frozen=True, slots=True)
class Retail:
    """A whole file, sorted: goods, orders customer by customer, and the number of lines with each outcome."""

    items: list[Item]
    orders: pl.DataFrame
    #: Lines by outcome; those of `imported` are what `orders` holds.
    table: dict[str, int]
    lines: int
    #: The distinct texts of each customer in the consent column.
    consent_texts: dict[tuple[str | None, ...], list[str | None]]


def read_retail(source: Source, consent_column: str | None = None) -> Retail:
    """Read the file and sort every line; raises `InvalidInput` unless it has the shape of UCI Online Retail."""
    lines = _classified(_read(source, consent_column))
    counts = dict(lines.group_by("outcome").len().iter_rows())
    orders = (
        lines.filter(pl.col("outcome") == "imported")
        .sort("customer", "at_ms", "invoice", "code", "quantity", "price")
        .group_by("customer", "invoice", maintain_order=True)
        .agg(
            pl.col("at_ms").min(),
            pl.col("code"),
            pl.col("quantity"),
            pl.col("price"),
            (pl.col("quantity") * pl.col("price")).sum().round(2).alias("total"),
        )
    )
    consent_texts = consent_texts_of(lines.filter(pl.col("outcome") == "imported"), ["customer"])
    return Retail(_goods(lines), orders, {name: counts.get(name, 0) for name in OUTCOMES}, lines.height, consent_texts)


def _read(source: Source, consent_column: str | None) -> pl.DataFrame:
    if source.kind == PARQUET:
        frame = pl.read_parquet(source.path)
    elif source.kind == CSV:
        with source.path.open("rb") as file:
            heading, separator = heading_of(file)
            frame = csv_frame(heading + file.read(), separator)
    else:
        raise InvalidInput("Online Retail is read from CSV or Parquet.", advice="Save the sheet as CSV.")
    found = find_columns(frame.columns, _COLUMNS)
    missing = sorted(_COLUMNS.keys() - found.keys())
    if missing:
        wanted = "InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID"
        raise InvalidInput(f"The file has no column for: {', '.join(missing)}.", advice=f"It needs {wanted}.")
    return frame.select(
        text_id(frame, found["invoice"]).alias("invoice"),
        text_id(frame, found["code"]).str.to_uppercase().alias("code"),
        pl.col(found["description"]).cast(pl.String).str.strip_chars().alias("description"),
        pl.col(found["quantity"]).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False).alias("quantity"),
        moment_expression(found["date"], frame.schema[found["date"]]).alias("at_ms"),
        pl.col(found["price"]).cast(pl.Float64, strict=False).alias("price"),
        text_id(frame, found["customer"]).alias("customer"),
        consent_expression(frame, consent_column).alias("consent"),
    )


def _classified(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with their outcome: the first check that holds decides."""
    good = (
        (pl.col("quantity") > 0) & (pl.col("price") > 0) & pl.col("price").is_finite() & pl.col("at_ms").is_not_null()
    )
    outcome = (
        pl.when(pl.col("invoice").str.starts_with("C").fill_null(value=False))
        .then(pl.lit("cancelled"))
        .when(~pl.col("code").str.contains(r"^\d{5}").fill_null(value=False))
        .then(pl.lit("not_goods"))
        .when(pl.col("customer").is_null())
        .then(pl.lit("guest"))
        .when(~(good & pl.col("invoice").is_not_null()).fill_null(value=False))
        .then(pl.lit("bad"))
        .otherwise(pl.lit("imported"))
    )
    return lines.with_columns(outcome.alias("outcome"), good.fill_null(value=False).alias("good"))


def _goods(lines: pl.DataFrame) -> list[Item]:
    """Return every code that was sold as an item: its most frequent description, median price, first and last sale."""
    sold = lines.filter(pl.col("good") & pl.col("outcome").is_in(["imported", "guest"]))
    names = (
        sold.filter(pl.col("description").str.len_chars() > 0)
        .group_by("code", "description")
        .len()
        .sort("code", "len", "description", descending=[False, True, False])
        .group_by("code", maintain_order=True)
        .first()
        .select("code", "description")
    )
    facts = sold.group_by("code").agg(
        pl.col("price").median().round(2),
        pl.col("at_ms").min().alias("first_ms"),
        pl.col("at_ms").max().alias("last_ms"),
    )
    return [
        Item(
            id=code,
            name=readable(description or code),
            price=price,
            currency=CURRENCY,
            first_seen=to_text(first_ms),
            last_seen=to_text(last_ms),
        )
        for code, price, first_ms, last_ms, description in facts.join(names, on="code", how="left")
        .sort("code")
        .iter_rows()
    ]


def readable(description: str) -> str:
    """Return a description as a readable name: single spaces, no stray marks at its ends, words in title case."""
    text = " ".join(description.split()).strip(" .,;*-")
    if not text:
        return description.strip() or "Unnamed"
    return _WORD.sub(lambda word: word.group().capitalize(), text) if text.isupper() else text


def orders_of(orders: pl.DataFrame) -> Iterator[Order]:
    """Yield the orders in the order of the frame."""
    for customer, invoice, at_ms, codes, quantities, prices, total in orders.iter_rows():
        products = [
            {"product_id": code, "quantity": quantity, "price": price}
            for code, quantity, price in zip(codes, quantities, prices, strict=True)
        ]
        yield Order(customer, invoice, at_ms, products, total, len(products))
