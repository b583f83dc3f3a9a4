"""Files in other encodings than UTF-8: named and refused as a whole, before anything of them is taken in."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import pytest

from assent.intake.files import frames
from assent.intake.files.actions import read_actions
from assent.intake.files.text_check import TextCheck
from assent.terms.errors import InvalidInput
from tests.rooms.intake.shop import BOTH, Shop

GRANT = {"grant": ("personalize", "learn"), "evidence": "asked in 2011"}
HEADING = ("user_id", "product_id", "event", "timestamp")
LINES = [("zoë", "tea", "view", "2011-03-01T10:00:00Z"), ("zoé", "mug", "view", "2011-03-02T10:00:00Z")]
TEXTS = {
    "comma.csv": "\n".join(map(",".join, [HEADING, *LINES, ()])),
    "semicolon.csv": "\r\n".join(map(";".join, [tuple(f'"{name}"' for name in HEADING), *LINES, ()])),
    "unicode.txt": "\r\n".join(map("\t".join, [HEADING, *LINES, ()])),
    "lines.ndjson": "".join(
        json.dumps(dict(zip(HEADING, line, strict=True)), ensure_ascii=False) + "\n" for line in LINES
    ),
}
WIDE = [
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
    (b"", "utf-16-le", "UTF-16LE"),
    (b"", "utf-16-be", "UTF-16BE"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (b"", "utf-32-le", "UTF-32LE"),
    (b"", "utf-32-be", "UTF-32BE"),
]


def refusal(path: Path) -> InvalidInput:
    """Return with what both readers of events refuse a file."""
    with pytest.raises(InvalidInput) as told:
        read_actions(path)
    return told.value


@pytest.mark.parametrize("name", TEXTS)
def test_a_mark_before_utf_8_is_no_part_of_the_file(file_shop: Shop, tmp_path: Path, name) -> None:
    """Excel's CSV UTF-8 and lines of JSON with a mark are read to the first line."""
    path = tmp_path / name
    path.write_bytes(TEXTS[name].encode("utf-8-sig"))
    assert dict(file_shop.importer.run("events", path, **GRANT).table) == {"imported": 2, "guest": 0, "bad": 0}
    assert file_shop.history("zoë") == {("tea", 1, BOTH)}
    assert file_shop.history("zoé") == {("mug", 1, BOTH)}
    assert read_actions(path).table["used"] == 2


def test_a_mark_before_items_is_no_part_of_the_first(file_shop: Shop, tmp_path: Path) -> None:
    """The catalog reads lines of JSON as they are."""
    path = tmp_path / "items.ndjson"
    path.write_bytes('{"id": "tea", "name": "Thé"}\n'.encode("utf-8-sig"))
    assert dict(file_shop.importer.run("items", path).table) == {"imported": 1, "bad": 0}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("mark", "codec", "told"), WIDE)
def test_wide_text_is_named_and_nothing_of_it_is_taken_in(
    file_shop: Shop, tmp_path: Path, name, mark, codec, told
) -> None:
    """UTF-16 and UTF-32, with and without a mark, as programs on Windows save it; turned over, it is all taken in."""
    path, turned = tmp_path / name, tmp_path / f"turned-{name}"
    path.write_bytes(mark + TEXTS[name].encode(codec))
    with pytest.raises(InvalidInput, match=f"saved as {told}, not as UTF-8") as caught:
        file_shop.importer.run("events", path, **GRANT)
    assert f"iconv -f {told} -t UTF-8 FILE > NEW" in caught.value.advice
    assert str(refusal(path)) == str(caught.value)
    # What the advised command does.
    turned.write_text(path.read_bytes().decode(told), encoding="utf-8", newline="")
    assert dict(file_shop.importer.run("events", turned, **GRANT).table) == {"imported": 2, "guest": 0, "bad": 0}


@pytest.mark.parametrize(("codec", "told"), [("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE")])
def test_the_ends_of_lines_tell_where_the_first_letter_does_not(tmp_path: Path, codec, told) -> None:
    """A heading that begins with a letter of another script, and a file without any end of line."""
    path = tmp_path / "events.csv"
    path.write_bytes("人,product_id\n甲,tea\n".encode(codec))
    assert f"saved as {told}," in str(refusal(path))
    path.write_bytes("person".encode(codec))
    assert f"saved as {told}," in str(refusal(path))


@pytest.mark.parametrize("name", TEXTS)
def test_two_people_never_become_one_by_their_letters(file_shop: Shop, tmp_path: Path, name) -> None:
    """What Excel saves as plain CSV is refused with the line, instead of read with the same mark for every letter."""
    path = tmp_path / name
    path.write_bytes(TEXTS[name].encode("cp1252"))
    line = 1 if name.endswith("ndjson") else 2
    with pytest.raises(InvalidInput, match=f"not saved as UTF-8: line {line} is the first") as caught:
        file_shop.importer.run("events", path, **GRANT)
    assert "iconv -f WINDOWS-1252 -t UTF-8" in caught.value.advice
    assert str(refusal(path)) == str(caught.value)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_letters_and_lines_are_counted_over_all_pieces(monkeypatch, tmp_path: Path, size) -> None:
    """A letter may be cut by the end of a piece, but not by the end of the file."""
    monkeypatch.setattr(frames, "_PIECE_BYTES", size)
    path = tmp_path / "events.csv"
    path.write_text("user_id,name\nzoë,甲\n\U0001f375,b", encoding="utf-8")
    assert frames.open_source(path).lines == 2
    path.write_bytes("user_id,name\nzoë,甲\n".encode() + b"a,\xe7\n")
    assert "line 3 is" in str(refusal(path))
    path.write_bytes("user_id,name\nzoë,甲\na,\U0001f375".encode()[:-1])
    assert "line 3 is" in str(refusal(path))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04\x14", "a spreadsheet or an archive"),
        (gzip.compress(b"user_id,event\n", mtime=0), "compressed with gzip"),
        (b"PAR1\x15", "Parquet"),
        (b"user_id,event\rann,view\r", "old Macintosh"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, content, told) -> None:
    """A spreadsheet, an archive or Parquet under the name of a CSV, and lines that never end."""
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    error = refusal(path)
    assert told in error.message
    assert error.advice


def test_nothing_is_read_of_an_empty_file() -> None:
    """No piece, no line, no complaint."""
    reading = TextCheck()
    reading.end()
    assert reading.lines == 0
