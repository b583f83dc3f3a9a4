"""The common text format of public splits, read: a person and their items, whole numbers with blanks between them."""

from __future__ import annotations

import gzip
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.terms.errors import InvalidInput, NotFound

_GZIP: Final = b"\x1f\x8b"
_MARK: Final = b"\xef\xbb\xbf"
#: First bytes of UTF-16, as some programs on Windows save text.
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_ALLOWED: Final = b"0123456789 \t\r\n"
_SHOWN_CHARS: Final = 24


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a file, person and item as written there, int64 [pairs], and the number of its lines."""

    people: NDArray[np.int64]
    items: NDArray[np.int64]
    lines: int
    #: Lines that name a person and no item.
    empty: int


def read_pairs(path: Path) -> Pairs:
    """Read "person item item ..." lines, plain or compressed with gzip.

    A line with a person and no item is legal, an empty line is passed over; blanks may be tabs, and lines may end as on
    any system. Raises `NotFound`, and `InvalidInput` with the number of the first line that cannot be read.
    """
    people, sizes, items = array("q"), array("q"), array("q")
    for number, line in _lines(path):
        words = line.split()
        if not words:
            continue
        if line.translate(None, _ALLOWED):
            raise _bad(path, number, words)
        try:
            people.append(int(words[0]))
            items.extend(map(int, words[1:]))
        except (OverflowError, ValueError):  # past 64 bits, or past what Python reads
            longest = max(words, key=len).decode()[:_SHOWN_CHARS]
            raise _refused(path, number, f"{longest} is too large a number", "Number them below 2^63.") from None
        sizes.append(len(words) - 1)
    if not items:
        content = "only people without items" if people else "nothing"
        raise InvalidInput(
            f"{path.name} holds {content}.",
            advice="Each line is a person's number and then the numbers of their items.",
        )
    counts = _numbers(sizes)
    return Pairs(_numbers(people).repeat(counts), _numbers(items), len(counts), int((counts == 0).sum()))


def _numbers(values: array[int]) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as plain:
            packed = plain.read(len(_GZIP)) == _GZIP
            plain.seek(0)
            file: Any = gzip.GzipFile(fileobj=plain) if packed else plain
            every = (line for piece in file for line in piece.splitlines())
            for number, line in enumerate(every, 1):
                yield number, line.removeprefix(_MARK) if number == 1 else line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InvalidInput(f"{path.name} is damaged: it does not unpack.", advice="Fetch it again.") from None
    except OSError as error:
        raise NotFound(
            f"{path.name} cannot be read: {error.strerror}.", advice="Check its name and permissions."
        ) from None


def _bad(path: Path, number: int, words: list[bytes]) -> InvalidInput:
    """Say what is wrong with a line that holds more than whole numbers and blanks."""
    if number == 1 and words[0].startswith(_WIDE_MARKS):
        return InvalidInput(f"{path.name} is saved as UTF-16.", advice="Save it as UTF-8 or plain text.")
    word = next(word for word in words if word.translate(None, _ALLOWED))
    decoded = word[:_SHOWN_CHARS].decode("utf-8", "replace")
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in decoded)
    if word[:1] == b"-" and word[1:].isdigit():
        return _refused(path, number, f"{shown} is below zero", "Number people and items from zero on.")
    advice = "Each line is a person's number and then the numbers of their items, with blanks between them."
    if b"," in word or b";" in word:
        advice = "Put blanks between the numbers."
    if number == 1:
        advice += " A line of headings has to go; a file of events is read with --events."
    return _refused(path, number, f"'{shown}' is not a whole number", advice)


def _refused(path: Path, number: int, words: str, advice: str) -> InvalidInput:
    return InvalidInput(f"{path.name}, line {number}: {words}.", advice=advice)
