"""The check of text files: UTF-8 is read, with or without a mark before it. Other encodings are named and refused."""

from __future__ import annotations

import codecs
from typing import Final

from assent.terms.errors import InvalidInput

#: The mark that some programs put before UTF-8.
MARK: Final = codecs.BOM_UTF8
#: Files that are not text: their first bytes, their kind, and advice.
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a spreadsheet or an archive", "Save the sheet as CSV UTF-8, or unpack the archive."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first: gunzip FILE."),
    (b"PAR1", "Parquet", "Let its name end in .parquet."),
)
#: The marks of UTF-32 come first, because one of them begins with a mark of UTF-16.
_WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class TextCheck:
    """Checks a text file piece by piece; `piece` and `end` raise `InvalidInput` for text that is not UTF-8.

    Other bytes are not replaced: two people whose names differ in one letter would become one person.
    """

    def __init__(self) -> None:
        #: The number of line ends so far.
        self.breaks = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._begun = False
        self._returns = False
        self._last = b"\n"

    @property
    def lines(self) -> int:
        """The number of lines so far, the last one with or without an end."""
        return self.breaks + (self._last != b"\n")

    def piece(self, piece: bytes) -> None:
        """Check the next bytes; raises `InvalidInput`."""
        if not self._begun:
            self._begun = True
            _refuse_other_files(piece)
            self._returns = b"\r" in piece
        self._decode(piece)
        self.breaks += piece.count(b"\n")
        self._last = piece[-1:]

    def end(self) -> None:
        """Check the end of the file; raises `InvalidInput`."""
        self._decode(b"", final=True)
        if self._returns and not self.breaks:
            raise InvalidInput(
                "The lines of the file end as on old Macintosh computers.",
                advice=r"Save it as CSV UTF-8, or turn it over: tr '\r' '\n' < FILE > NEW.",
            )

    def _decode(self, piece: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            line = self.breaks + error.object[: error.start].count(b"\n") + 1
            raise InvalidInput(
                f"The file is not saved as UTF-8: line {line} is the first that cannot be read.",
                advice=f"Save it as CSV UTF-8; for what Excel saves as plain CSV: {_iconv('WINDOWS-1252')}.",
            ) from None


def _refuse_other_files(head: bytes) -> None:
    """Raise `InvalidInput` for a file whose first bytes are not UTF-8."""
    for mark, what, advice in _NO_TEXT:
        if head.startswith(mark):
            raise InvalidInput(f"The file is {what}, whatever its name says.", advice=advice)
    name = next((name for mark, name in _WIDE_MARKS if head.startswith(mark)), None) or _wide_without_mark(head)
    if name is not None:
        # With a mark iconv finds out the order of bytes by itself.
        advice = f"Save it as CSV UTF-8, or turn it over: {_iconv(name)}."
        raise InvalidInput(f"The file is saved as {name}, not as UTF-8.", advice=advice)


def _wide_without_mark(head: bytes) -> str | None:
    """Return the encoding with two or four bytes for the first letter, or for the end of a line; None for others."""
    if head[1:4] == b"\0\0\0" or head[:3] == b"\0\0\0":
        return "UTF-32LE" if head[0] else "UTF-32BE"
    # The zero of a Latin letter stands on the same side as the one of the end of a line, counted from the beginning.
    end = head.find(b"\n")
    if head[1:2] == b"\0" or (end % 2 == 0 and head[end + 1 : end + 2] == b"\0"):
        return "UTF-16LE"
    return "UTF-16BE" if head[:1] == b"\0" or (end > 0 and end % 2 and head[end - 1] == 0) else None


def _iconv(name: str) -> str:
    return f"iconv -f {name} -t UTF-8 FILE > NEW"
