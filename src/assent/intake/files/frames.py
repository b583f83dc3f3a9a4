"""Files as bounded frames: CSV, Parquet and NDJSON block by block, each block with the position of the next."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assent.intake.files.text_check import MARK, TextCheck
from assent.terms.errors import InvalidInput, NotFound, TooLarge
from assent.terms.limits import limit

#: The rows of a block of Parquet, and the bytes of a block of text.
BLOCK_ROWS = 20_000
BLOCK_BYTES = 2_097_152
_PIECE_BYTES = 1_048_576
_SEPARATOR_LINE = re.compile(rb"sep=([,;\t|])\r?\n", re.IGNORECASE)
_LINE_BYTES_MAX = limit("import_line_bytes_max")

CSV, PARQUET, NDJSON = "csv", "parquet", "ndjson"
_KINDS = {
    ".csv": CSV,
    ".tsv": CSV,
    ".txt": CSV,
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".ndjson": NDJSON,
    ".jsonl": NDJSON,
    ".json": NDJSON,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import: its path, its kind, the SHA-256 of its bytes in hex, and its number of lines, about."""

    path: Path
    kind: str
    digest: str
    lines: int


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Some rows of a file, and the position after them: a byte in text, a row in Parquet."""

    frame: pl.DataFrame
    #: The number of unreadable rows.
    unreadable: int
    after: int


def open_source(path: Path) -> Source:
    """Check a whole file before any of it is imported.

    Raises `NotFound` without one, `InvalidInput` for an unknown kind of file, and for text that is not UTF-8.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidInput(
            f"'{path.suffix}' is not a kind of file that is imported.",
            advice="Use .csv, .tsv, .parquet, .ndjson or .jsonl.",
        )
    digest, reading = hashlib.sha256(), TextCheck()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                if kind != PARQUET:
                    reading.piece(piece)
    except OSError as error:
        raise NotFound(
            f"The file cannot be read: {error.strerror}.", advice="Check its name and permissions."
        ) from None
    if kind == PARQUET:
        return Source(path, kind, digest.hexdigest(), _parquet_rows(path))
    reading.end()
    lines = max(reading.lines - 1, 0) if kind == CSV else reading.lines
    return Source(path, kind, digest.hexdigest(), lines)


def _parquet_rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        raise InvalidInput("The file is not Parquet, or it is damaged.") from None


def blocks(source: Source, start: int = 0) -> Iterator[FrameBlock]:
    """Yield a file's blocks from a position on; columns of CSV are text, others as the file has them."""
    if source.kind == PARQUET:
        return _parquet_blocks(source, start)
    return _text_blocks(source, start)


def _parquet_blocks(source: Source, start: int) -> Iterator[FrameBlock]:
    whole = pl.scan_parquet(source.path)
    for first in range(start, source.lines, BLOCK_ROWS):
        frame = whole.slice(first, BLOCK_ROWS).collect()
        yield FrameBlock(frame, 0, first + frame.height)


def _text_blocks(source: Source, start: int) -> Iterator[FrameBlock]:
    with source.path.open("rb") as file:
        heading, separator = heading_of(file) if source.kind == CSV else (b"", "")
        file.seek(max(start, file.tell()))
        while text := _whole_lines(file, quoted=source.kind == CSV):
            after = file.tell()
            if source.kind == CSV:
                yield FrameBlock(csv_frame(heading + text, separator), 0, after)
            else:
                yield _ndjson(text.removeprefix(MARK), after)


def json_lines(source: Source, start: int = 0) -> Iterator[tuple[list[bytes], int]]:
    """Yield the lines of an NDJSON file as they are, block by block, each block with the position after it."""
    with source.path.open("rb") as file:
        file.seek(start)
        while text := _whole_lines(file, quoted=False):
            yield [line for line in text.removeprefix(MARK).splitlines() if line.strip()], file.tell()


def _whole_lines(file: io.BufferedReader, *, quoted: bool) -> bytes:
    """Read about a block of bytes up to the end of a line, and past line breaks inside quotes."""
    text = file.read(BLOCK_BYTES)
    text += file.readline(_LINE_BYTES_MAX)
    while quoted and text.count(b'"') % 2:
        line = file.readline(_LINE_BYTES_MAX)
        if not line:
            break
        text += line
        if len(text) > BLOCK_BYTES + _LINE_BYTES_MAX:
            raise TooLarge("A quoted field of the file does not end.", advice="Look for a quote that is not closed.")
    return text


def heading_of(file: io.BufferedReader) -> tuple[bytes, str]:
    """Return the line of column names and the separator: the most frequent of comma, semicolon, tab and bar.

    A line before it may name the separator, as Excel writes it; then that one is used.
    """
    heading = file.readline(_LINE_BYTES_MAX)
    named = _SEPARATOR_LINE.fullmatch(heading.removeprefix(MARK))
    if named:
        return file.readline(_LINE_BYTES_MAX), named[1].decode()
    return heading, max(",;\t|", key=lambda mark: heading.count(mark.encode()))


def csv_frame(text: bytes, separator: str) -> pl.DataFrame:
    """Read lines of CSV, the heading first, as text; an empty value is null. Raises `InvalidInput`."""
    try:
        return pl.read_csv(
            io.BytesIO(text.removeprefix(MARK)), separator=separator, infer_schema=False, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError:
        raise InvalidInput(
            "The CSV file cannot be read.", advice="Give it one line of column names and a separator."
        ) from None


def _ndjson(text: bytes, after: int) -> FrameBlock:
    """Read lines of JSON; a block that cannot be read at once is read line by line, counting unreadable lines."""
    try:
        return FrameBlock(pl.read_ndjson(io.BytesIO(text), infer_schema_length=None), 0, after)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass
    frames = []
    unreadable = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            frames.append(pl.read_ndjson(io.BytesIO(line)).cast(pl.String, strict=False))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            unreadable += 1
    frame = pl.concat(frames, how="diagonal") if frames else pl.DataFrame()
    return FrameBlock(frame, unreadable, after)


def find_columns(present: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the column of each part, found by its name; case, spaces, dots and dashes do not matter."""
    plain = {"".join(char for char in column.lower() if char.isalnum()): column for column in reversed(present)}
    return {part: plain[known] for part, aliases in names.items() for known in reversed(aliases) if known in plain}


def text_id(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Return an expression of a column of ids as trimmed text, null for empty; 17850.0 is 17850."""
    text = pl.col(column).cast(pl.String, strict=False).str.strip_chars()
    if frame.schema[column].is_float() or frame.schema[column] == pl.String:
        text = text.str.replace(r"^(\d+)\.0$", "$1")
    return pl.when(text.str.len_chars() > 0).then(text)


def moment_expression(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return an expression of milliseconds since the epoch for a column of times, null where there is none.

    Reads dates and times, seconds or milliseconds since the epoch, ISO 8601 text and `month/day/year hour:minute`.
    """
    at = pl.col(column)
    if dtype == pl.Date:
        at = at.cast(pl.Datetime("ms"))
    if dtype.is_temporal():
        return at.dt.epoch("ms")
    if dtype.is_numeric():
        return _from_number(at.cast(pl.Float64))
    text = at.cast(pl.String).str.strip_chars()
    zoned = text.str.to_datetime(format="%+", strict=False, time_unit="ms", time_zone="UTC").dt.epoch("ms")
    readings = [
        text.str.to_datetime(format=each, strict=False, time_unit="ms").dt.epoch("ms")
        for each in (
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%m/%d/%Y %H:%M",
            "%m/%d/%y %H:%M",
        )
    ]
    days = text.str.to_date(format="%Y-%m-%d", strict=False).cast(pl.Datetime("ms")).dt.epoch("ms")
    return pl.coalesce([zoned, *readings, days, _from_number(text.cast(pl.Float64, strict=False))])


#: Numbers below this are seconds: as milliseconds they would lie before 1973.
_SECONDS_BELOW = 100_000_000_000


def _from_number(number: pl.Expr) -> pl.Expr:
    milliseconds = pl.when(number < _SECONDS_BELOW).then(number * 1000).otherwise(number)
    return milliseconds.round().cast(pl.Int64, strict=False)
