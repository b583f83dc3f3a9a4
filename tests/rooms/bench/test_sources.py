"""What `assent bench recommend` reads: the text format of public splits and files of events, made into a split."""

import gzip
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from assent.bench.pair_files import read_pairs
from assent.bench.splits import split_of_actions, split_of_pairs
from assent.intake.files.actions import read_actions
from assent.terms.errors import InvalidInput, NotFound


@pytest.fixture
def write(tmp_path):
    """Return a function that writes bytes to a file of that name."""

    def written(content, name="train.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


@pytest.fixture
def pairs(write):
    """Return a function that writes a text and reads its pairs."""
    return lambda content: read_pairs(write(content))


def cut(day):
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    "content",
    [
        b"7 1 2\n8 3\n9\n",
        b"7 1 2 \r\n8\t3\r\n\r\n9 \r\n",
        b"\xef\xbb\xbf7 1 2\n\n8 3  \n9",
        b"7 1 2\r8 3\r9\r",
        gzip.compress(b"7 1 2\n8 3\n9\n", mtime=0),
    ],
)
def test_the_format_is_read_however_it_was_saved(pairs, content):
    """Trailing blanks, tabs, line ends of any system, a byte order mark, empty lines, gzip: the same pairs."""
    read = pairs(content)
    assert read.people.tolist() == [7, 7, 8]
    assert read.items.tolist() == [1, 2, 3]
    assert (read.lines, read.empty) == (3, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1 2\n1 -3\n", "train.txt, line 2: -3 is below zero. Number"),
        (b"1 2\n3 4.5\n", "line 2: '4.5' is not a whole number. Each line"),
        (b"user item\n1 2\n", "A line of headings has to go"),
        (b"1,2,3\n", "Put blanks between the numbers"),
        (b"user_id,item,time\nann,tea,2026-01-01\n", "a file of events is read with --events"),
        (b"1 2\r3 x\r", "line 2: 'x' is not"),
        (b"1 \x00\x1b[2K\n", "'\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2K' is not"),
        ("1 2\r\n".encode("utf-16"), "is saved as UTF-16. Save it as UTF-8"),
        (b"1 2_0\n", "line 1: '2_0' is not"),
        (b"1 \xff\xfe\n", "is not a whole number"),
        (b"1 2\n\n3 99999999999999999999\n", "line 3: 99999999999999999999 is too large"),
        (b"1 " + b"9" * 5_000, "line 1: 999999999999999999999999 is too large"),
        (b"", "holds nothing"),
        (b"\n\n", "holds nothing"),
        (b"1\n2 \n", "only people without items"),
        (gzip.compress(b"1 2 3\n" * 99, mtime=0)[:-9], "does not unpack"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_what_to_do(pairs, content, words):
    """The first bad line stops the reading; its number and advice are in the error."""
    with pytest.raises(InvalidInput) as caught:
        pairs(content)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    """Without a file there is an error with advice, not a traceback."""
    with pytest.raises(NotFound, match="cannot be read"):
        read_pairs(tmp_path / "none.txt")


def test_a_split_follows_the_protocol(write):
    """People and items are those that were trained on; what else the test part names counts as wanted, or is said."""
    train = read_pairs(write(b"5 10 20 10\n5 20 30\n6 10\n7 30\n8\n"))
    test = read_pairs(write(b"5 40 10 50\n6 30 20 30\n9 10\n8 10\n7\n", "test.txt"))
    split = split_of_pairs(train, test)
    assert split.training.toarray().tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 1]]
    assert split.fresh is None
    assert split.tested.tolist() == [0, 1]
    assert split.wanted.toarray().tolist() == [[1, 0, 0], [0, 1, 1]]
    assert split.sizes.tolist() == [3, 2]
    assert split.notes == (
        "2 people of the test part are not in the training part: left out",
        "2 pairs of the test part are of items that nobody trained on: counted as missed",
        "1 pair of the test part stands in the training part too: counted as missed",
        "3 repeated pairs were counted once",
        "2 people stand on lines without items",
    )


def test_somebody_on_two_lines_holds_both(write):
    """Lines of one person add up, wherever they stand; an item that stands twice counts once."""
    train = read_pairs(write(b"5 10 20\n6 30\n5 30 10\n"))
    split = split_of_pairs(train, read_pairs(write(b"6 10 10\n6 20\n", "test.txt")))
    assert split.training.toarray().tolist() == [[1, 1, 1], [0, 0, 1]]
    assert split.wanted.toarray().tolist() == [[1, 1, 0]]
    assert split.sizes.tolist() == [2]
    assert split.notes == ("2 repeated pairs were counted once",)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (b"1 2 3\n2 3\n", "3 pairs are in the training part too, 0 of items"),
        (b"1 9\n2 8\n", "0 pairs are in the training part too, 2 of items"),
        (b"1 2 9\n", "1 pair is in the training part too, 1 of items"),
    ],
)
def test_a_test_part_of_which_nothing_can_be_hit_is_refused(write, test, words):
    """The same file twice, or items that nobody trained on: every figure would be zero, so what is wrong is said."""
    with pytest.raises(InvalidInput) as caught:
        split_of_pairs(read_pairs(write(b"1 2 3\n2 3\n")), read_pairs(write(test, "test.txt")))
    assert words in str(caught.value)
    assert "what people took afterwards" in caught.value.advice


def test_a_clean_split_needs_no_notes(write):
    """Nothing is said where nothing was left out."""
    assert split_of_pairs(read_pairs(write(b"1 2 3\n2 3\n")), read_pairs(write(b"2 2\n", "test.txt"))).notes == ()


def test_a_test_part_of_strangers_is_refused(write):
    """If nobody stands in both files, the wrong files were named."""
    with pytest.raises(InvalidInput, match="Nobody of the test part"):
        split_of_pairs(read_pairs(write(b"1 2\n")), read_pairs(write(b"2 2\n", "test.txt")))


EVENTS = b"""user_id,product_id,timestamp,quantity
ann,milk,2026-01-01T10:00:00Z,2
ann,bread,2025-09-01T10:00:00Z,
ann,milk,2025-08-01T10:00:00Z,1
bob,milk,2026-01-02T10:00:00Z,1
bob,eggs,2026-01-02T10:00:00Z,1
,milk,2026-01-02T10:00:00Z,1
bob,,2026-01-02T10:00:00Z,1
bob,eggs,never,1
bob,tea,2026-01-02T10:00:00Z,-1
ann,eggs,2026-02-01T10:00:00Z,1
ann,milk,2026-02-01T10:00:00Z,1
ann,rice,2026-02-01T10:00:00Z,1
cleo,milk,2026-02-01T10:00:00Z,1
"""


def test_events_are_split_by_time(write):
    """Learned from what was before; judged by items of the catalog that were new to people who were there before."""
    events = read_actions(write(EVENTS, "events.csv"))
    assert events.table == {"no person": 1, "not goods": 0, "taken back or free": 1, "bad": 2, "used": 9}
    split = split_of_actions(events, cut("2026-02-01"))
    assert split.training.toarray().tolist() == [[1, 0, 1], [0, 1, 1]]
    assert (split.fresh > 0).nnz == split.training.nnz
    assert split.fresh[0, 0] < split.fresh[0, 2] == split.fresh.max()
    assert split.tested.tolist() == [0]
    assert split.wanted.toarray().tolist() == [[0, 1, 0]]
    assert split.sizes.tolist() == [1]
    assert split_of_actions(events, cut("2026-02-01"), times=False).fresh is None


def test_validation_splits_the_training_part_alone(write):
    """Settings are judged within the training part, as the model is in the end, and by nothing of the test part."""
    lines = [f"p{day % 4},i{day % 7},2026-01-{day:02}T10:00:00Z" for day in range(1, 31)]
    lines += [f"p{person},i{item},2026-02-01T10:00:00Z" for person in range(4) for item in range(7)]
    events = read_actions(write("\n".join(["person,item,time", *lines, ""]).encode(), "e.csv"))
    split = split_of_actions(events, cut("2026-01-20"), validating=True)
    assert split_of_actions(events, cut("2026-01-20")).validation == ()
    assert len(split.validation) == 3
    for last_day, (before, after) in zip((13, 15, 17), split.validation, strict=True):
        assert before.shape == after.shape == split.training.shape
        held = {(f"p{day % 4}", f"i{day % 7}") for day in range(1, last_day + 1)}
        assert before.nnz == len(held)
        assert before.max() > 1
        assert not before.multiply(after).nnz
        assert ((before + after) > 0).nnz == split.training.nnz
    plain = split_of_actions(events, cut("2026-01-20"), times=False, validating=True)
    assert {int(before.max()) for before, _ in plain.validation} == {1}


def test_a_training_part_of_one_moment_has_no_validation(write):
    """Nothing lies before the only moment, so settings are chosen by a slice of the training part instead."""
    lines = b"person,item,time\na,x,2026-01-01\nb,y,2026-01-01\na,y,2026-01-01\na,z,2026-01-01\nb,z,2026-02-01\n"
    split = split_of_actions(read_actions(write(lines, "e.csv")), cut("2026-01-15"), validating=True)
    assert split.validation == ()


@pytest.mark.parametrize(
    ("day", "words"),
    [("2020-01-01", "No event lies before"), ("2030-01-01", "runs from 2025-08-01 to 2026-02-01")],
)
def test_a_date_outside_the_file_is_refused_with_the_dates_inside(write, day, words):
    """A split with nothing on one side says where the file begins and ends."""
    with pytest.raises(InvalidInput) as caught:
        split_of_actions(read_actions(write(EVENTS, "events.csv")), cut(day))
    assert words in str(caught.value)


def test_a_split_after_which_nobody_takes_anything_new_is_refused(write):
    """There must be somebody to judge by."""
    lines = b"person,item,time\na,x,2026-01-01\nb,y,2026-01-01\na,x,2026-02-01\nc,y,2026-02-01\n"
    with pytest.raises(InvalidInput, match="Nobody took anything new"):
        split_of_actions(read_actions(write(lines, "e.csv")), cut("2026-01-15"))


def test_the_shape_of_online_retail_is_read_by_its_own_rules(tmp_path):
    """Lines of known customers, of goods, of a quantity and a price above zero; from Parquet, CSV and NDJSON alike."""
    frame = pl.DataFrame(
        {
            "InvoiceNo": ["1", "1", "2", "C3", "4", "5", "6"],
            "StockCode": ["10001", "10002A", "POST", "10001", "10001", "10001", "10002A"],
            "Description": ["a"] * 7,
            "Quantity": [1, 2, 1, -1, 1, 1, None],
            "InvoiceDate": [datetime(2011, 9, 30, 23, 59)] * 7,  # noqa: DTZ001 - as in the file
            "UnitPrice": [1.0, 2.0, 3.0, 1.0, 0.0, 1.0, 1.0],
            "CustomerID": [17850.0, 17850.0, 17850.0, 17850.0, 17850.0, None, 17850.0],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    frame.write_csv(tmp_path / "r.csv")
    frame.write_ndjson(tmp_path / "r.ndjson")
    for name in ("r.parquet", "r.csv", "r.ndjson"):
        read = read_actions(tmp_path / name)
        assert read.table == {"no person": 1, "not goods": 1, "taken back or free": 3, "bad": 0, "used": 2}
        assert read.items.tolist() == [0, 1]
        assert np.array_equal(read.at_ms, [cut("2011-09-30") + 86_340_000] * 2)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"person,item\na,x\n", "e.csv", "no column for the time"),
        (b"a,b\n1,2\n", "e.csv", "the person and the item and the time"),
        (b"person,item,time\n", "e.csv", "holds no lines"),
        (b"person,item,time\n,x,2026-01-01\n", "e.csv", "No line of the file can be used"),
        (b"1 2\n", "e.dat", "not a kind of file"),
        (b"no parquet", "e.parquet", "not Parquet"),
        (b'{"person": "a", "item": 1}\nnot json\n', "e.ndjson", "no column for the time"),
    ],
)
def test_events_that_cannot_be_used_are_refused(write, content, name, words):
    """Missing columns, no lines, nothing usable, a kind of file that is not read."""
    with pytest.raises(InvalidInput) as caught:
        read_actions(write(content, name))
    assert words in str(caught.value)


def test_lines_of_ndjson_that_cannot_be_read_are_counted(write):
    """Every line of the file ends somewhere."""
    content = b'{"person": "a", "item": 1, "time": 1700000000}\nnot json\n'
    table = read_actions(write(content, "e.ndjson")).table
    assert (table["bad"], table["used"]) == (1, 1)
