"""Actions of a file as three arrays, for the comparison of recommenders: events, or the shape of UCI Online Retail.

Nothing is stored, and people are numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assent.intake.files.events_and_items import EVENT_COLUMNS
from assent.intake.files.frames import PARQUET, Source, blocks, find_columns, moment_expression, open_source, text_id
from assent.terms.errors import InvalidInput

#: The outcomes of lines, in the order of their checks.
OUTCOMES: Final = ("no person", "not goods", "taken back or free", "bad", "used")

_EVENTS: Final = {
    "person": (*EVENT_COLUMNS["user"], *EVENT_COLUMNS["anonymous"]),
    "item": EVENT_COLUMNS["item"],
    "at": EVENT_COLUMNS["at"],
    "quantity": (*EVENT_COLUMNS["quantity"], "weight", "count", "amount"),
}
_RETAIL: Final = {
    "person": ("customerid",),
    "item": ("stockcode",),
    "at": ("invoicedate",),
    "quantity": ("quantity",),
    "price": ("unitprice", "price"),
}


@dataclass(frozen=True, slots=True)
class Actions:
    """Lines of (person, item, time): int64 arrays of one length, numbered from zero in the order of the ids."""

    people: NDArray[np.int64]
    items: NDArray[np.int64]
    #: Milliseconds since the epoch.
    at_ms: NDArray[np.int64]
    #: The number of lines with each outcome; they add up to all lines.
    table: dict[str, int]


def read_actions(path: Path) -> Actions:
    """Read a CSV, Parquet or NDJSON file of events; one with the columns of UCI Online Retail by the rules for that.

    A line counts when it names a person, an item and a time, and its quantity or weight, if any, is above zero. In
    Online Retail the price must be above zero too, and the stock code must begin with five digits. Raises
    `NotFound`, and `InvalidInput` for a file that has no such columns or lines.
    """
    source = open_source(path)
    frames, unreadable = [], 0
    for frame, lost in _frames(source):
        unreadable += lost
        if frame.height:
            frames.append(_shaped(frame))
    if not frames:
        raise InvalidInput("The file holds no lines.", advice="Give one line for each event, under column names.")
    lines = pl.concat(frames)
    table = dict.fromkeys(OUTCOMES, 0) | dict(lines.group_by("outcome").len().iter_rows())
    table["bad"] += unreadable
    used = lines.filter(pl.col("outcome") == "used").select(
        pl.col("person", "item").rank("dense").cast(pl.Int64) - 1, pl.col("at_ms").cast(pl.Int64)
    )
    if not used.height:
        raise InvalidInput("No line of the file can be used.", advice="Each needs a person, an item and a moment.")
    people, items, at_ms = (used[name].to_numpy() for name in ("person", "item", "at_ms"))
    return Actions(people, items, at_ms, table)


def _frames(source: Source) -> Iterator[tuple[pl.DataFrame, int]]:
    """Yield the columns needed, and the number of unreadable lines: Parquet at once, text block by block."""
    if source.kind != PARQUET:
        for block in blocks(source):
            yield block.frame, block.unreadable
        return
    whole = pl.scan_parquet(source.path)
    found, _ = _columns(whole.collect_schema().names())
    yield whole.select(*dict.fromkeys(found.values())).collect(), 0


def _columns(present: list[str]) -> tuple[dict[str, str], bool]:
    """Return the column of each part, and True when the file has the shape of UCI Online Retail."""
    found = find_columns(present, _RETAIL)
    if found.keys() == _RETAIL.keys():
        return found, True
    found = find_columns(present, _EVENTS)
    missing = [part for part in ("person", "item", "at") if part not in found]
    if missing:
        words = {"person": "the person", "item": "the item", "at": "the time"}
        raise InvalidInput(
            f"The file has no column for {' and '.join(words[part] for part in missing)}.",
            advice="It needs columns such as user_id, product_id and timestamp, or those of UCI Online Retail.",
        )
    return found, False


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Return person, item, at_ms and outcome of each line."""
    found, retail = _columns(frame.columns)
    above = pl.lit(value=True)
    for part in ("quantity", "price"):
        if part in found:
            number = pl.col(found[part]).cast(pl.Float64, strict=False)
            above &= (number > 0).fill_null(value=not retail)
    lines = frame.select(
        text_id(frame, found["person"]).alias("person"),
        text_id(frame, found["item"]).alias("item"),
        moment_expression(found["at"], frame.schema[found["at"]]).alias("at_ms"),
        above.alias("above"),
    )
    goods = pl.col("item").str.contains(r"^\d{5}").fill_null(value=False) if retail else pl.lit(value=True)
    outcome = (
        pl.when(pl.col("person").is_null())
        .then(pl.lit("no person"))
        .when(~goods)
        .then(pl.lit("not goods"))
        .when(~pl.col("above"))
        .then(pl.lit("taken back or free"))
        .when(pl.col("item").is_null() | pl.col("at_ms").is_null())
        .then(pl.lit("bad"))
        .otherwise(pl.lit("used"))
    )
    return lines.select("person", "item", "at_ms", outcome.alias("outcome"))
