"""Files imported: every kind, every column, under stated consent, interrupted and repeated."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from assent.intake.files import events_and_items, frames, importer
from assent.store.topics import consents, items
from assent.terms.errors import Conflict, InvalidInput, NotFound, TooLarge, UnknownPurpose
from assent.terms.permits import Permit
from assent.terms.purposes import Personalize
from assent.vault.seals import EVIDENCE
from tests.rooms.intake.shop import BOTH, Shop

GRANT = ("personalize", "learn")
ROWS = [
    {"user_id": "ann", "product_id": "tea", "event": "view", "timestamp": "2011-03-01T10:00:00Z"},
    {
        "user_id": "ann",
        "product_id": "mug",
        "event": "Order Completed",
        "timestamp": "2011-03-02T10:00:00Z",
        "order_id": "7",
    },
    {
        "user_id": "bob",
        "product_id": "tea",
        "event": "purchase",
        "timestamp": "2011-03-03",
        "quantity": "2",
        "price": "3.5",
    },
    {"user_id": "", "product_id": "tea", "event": "view", "timestamp": "2011-03-03"},
    {"user_id": "bob", "product_id": "tea", "event": "view", "timestamp": "soon"},
    {"user_id": "bob", "product_id": "", "event": "view", "timestamp": "2011-03-03"},
    {"user_id": "bob", "product_id": "tea", "event": "", "timestamp": "2011-03-03"},
    {"user_id": "bob", "product_id": "tea", "event": "view", "timestamp": "2999-01-01"},
    {"user_id": "x" * 300, "product_id": "tea", "event": "view", "timestamp": "2011-03-03"},
]
TABLE = {"imported": 3, "guest": 1, "bad": 5}


def write(path: Path, rows: list[dict], kind: str) -> Path:
    """Write rows as a file of a kind."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame([{name: row.get(name) or None for name in names} for row in rows], infer_schema_length=None)
    target = path / f"events.{kind}"
    if kind == "parquet":
        frame.write_parquet(target)
    elif kind == "csv":
        frame.write_csv(target)
    elif kind == "tsv":
        frame.write_csv(target, separator="\t")
    else:
        target.write_text("".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in rows))
    return target


def run(shop: Shop, path: Path, **options):
    """Import events under consent to both purposes."""
    return shop.importer.run("events", path, **{"grant": GRANT, "evidence": "asked in 2011", **options})


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "ndjson"])
def test_each_kind_of_file_gives_the_same_people(shop: Shop, tmp_path: Path, kind) -> None:
    """One line is one event, at its own time, under the stated consent; every line is accounted for."""
    done = run(shop, write(tmp_path, ROWS, kind))
    assert dict(done.table) == TABLE
    assert done.lines == len(ROWS) == sum(done.table.values())
    assert shop.history("ann") == {("tea", 1, BOTH), ("mug", 5, BOTH)}
    assert shop.history("bob") == {("tea", 5, BOTH)}
    assert shop.days("bob") == [15036]
    ((_, order),) = shop.events("bob")
    assert order["properties"] == {"products": [{"product_id": "tea", "quantity": 2.0, "price": 3.5}]}
    assert shop.people() == 2


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
@pytest.mark.parametrize("part", ["quantity", "price"])
@pytest.mark.parametrize("said", ["2,5", "1.234,50", "many", "nan", "inf"])
def test_a_number_that_is_not_one_is_never_left_out_in_silence(shop: Shop, tmp_path: Path, kind, part, said) -> None:
    """A decimal comma, say: the line is not taken in without its number, and is counted."""
    done = run(shop, write(tmp_path, [ROWS[2] | {part: said}, ROWS[2] | {part: " 4 ", "user_id": "ann"}], kind))
    assert dict(done.table) == {"imported": 1, "guest": 0, "bad": 1}
    ((_, order),) = shop.events("ann")
    assert order["properties"]["products"][0][part] == 4.0


@pytest.mark.parametrize("said", ["2,5", "dear", "nan"])
def test_an_item_is_not_taken_in_without_its_price(shop: Shop, tmp_path: Path, said) -> None:
    """The line is counted; a blank price is none."""
    path = tmp_path / "goods.csv"
    path.write_text(f"sep=;\nid;name;price\ntea;Tea;2.5\nmug;Mug;{said}\npot;Pot; \n")
    assert dict(shop.importer.run("items", path).table) == {"imported": 2, "bad": 1}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_names_the_separator_is_taken_at_its_word(shop: Shop, tmp_path: Path, mark, end) -> None:
    """As Excel writes it; the column names stand below."""
    path = tmp_path / "events.csv"
    lines = ("sep=;", "user_id;product_id;event;timestamp;note,of,commas", "ann;tea;view;2011-03-01;a,b", "")
    path.write_text(mark + end.join(lines), newline="")
    assert dict(run(shop, path).table) == {"imported": 1, "guest": 0, "bad": 0}
    assert shop.history("ann") == {("tea", 1, BOTH)}


def test_the_evidence_is_sealed_with_each_consent(shop: Shop, tmp_path: Path) -> None:
    """The evidence of a consent is in the ledger, where only the person can read it."""
    run(shop, write(tmp_path, ROWS, "csv"))
    with shop.store.read() as session:
        entries = consents.entries(session, shop.find("ann"))
        permit = shop.ledger.may(session, shop.find("ann"), Personalize)
    assert isinstance(permit, Permit)
    assert {(entry.purpose, entry.action, entry.source) for entry in entries} == {
        (each, "granted", "import") for each in GRANT
    }
    assert {shop.key("ann").open(EVIDENCE, 0, entry.evidence) for entry in entries} == {b"asked in 2011"}


@pytest.mark.parametrize("shape", ["events", "online-retail"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"grant": GRANT},
        {"evidence": "asked"},
        {"grant": GRANT, "evidence": "  "},
        {"grant": ("service",), "evidence": "asked"},
        {"grant": ("share:partner",), "evidence": "asked"},
        {"grant": GRANT, "evidence": "x" * 2_001},
    ],
)
def test_without_a_stated_consent_nothing_is_imported(file_shop: Shop, tmp_path: Path, shape, options) -> None:
    """Purposes without evidence, evidence without purposes, purposes that keep nothing: nothing is read."""
    from assent.terms.errors import AssentError

    with pytest.raises(AssentError) as raised:
        file_shop.importer.run(shape, write(tmp_path, ROWS, "csv"), **options)
    assert raised.value.status in {400, 422}
    assert raised.value.advice
    assert file_shop.people() == 0


def test_a_purpose_that_does_not_exist_is_refused(file_shop: Shop, tmp_path: Path) -> None:
    """A typing mistake in a purpose imports nobody."""
    with pytest.raises(UnknownPurpose):
        run(file_shop, write(tmp_path, ROWS, "csv"), grant=("personalise",))


def consenting(*said: str | None) -> list[dict]:
    """Return a line of ann for each text of the consent column, and one yes of bob."""
    lines = [
        {
            "user_id": "ann",
            "product_id": f"item-{number}",
            "event": "view",
            "timestamp": f"2025-03-0{number + 1}",
            "agreed": each,
        }
        for number, each in enumerate(said)
    ]
    return [*lines, {**lines[0], "user_id": "bob", "agreed": "personalize learn"}]


@pytest.mark.parametrize(
    ("said", "granted"),
    [
        (["personalize,learn", "personalize; learn"], {"personalize", "learn"}),
        (["personalize,learn", "personalize"], {"personalize"}),
        (["learn", None], None),
        (["no", "personalize"], None),
    ],
)
def test_a_column_says_who_agreed_to_what(shop: Shop, tmp_path: Path, said, granted) -> None:
    """Over all of a person's lines the most restrictive wins; whoever agreed to nothing is not imported."""
    done = run(shop, write(tmp_path, consenting(*said), "csv"), grant=(), evidence=None, consent_column="agreed")
    assert set(shop.states("bob")) == {"personalize", "learn"}
    if granted is None:
        assert shop.find("ann") is None
        assert dict(done.table) == {"imported": 1, "guest": 0, "bad": 0, "no_consent": 2}
    else:
        assert set(shop.states("ann")) == granted
        assert done.table["imported"] == 3


def test_a_column_may_say_yes_to_the_stated_purposes(file_shop: Shop, tmp_path: Path) -> None:
    """With purposes stated, a yes agrees to them, and a list of purposes to those of them it names."""
    path = write(tmp_path, consenting("yes"), "csv")
    run(file_shop, path, grant=("personalize",), consent_column="agreed")
    assert set(file_shop.states("ann")) == set(file_shop.states("bob")) == {"personalize"}


def test_a_column_that_cannot_be_understood_is_refused(file_shop: Shop, tmp_path: Path) -> None:
    """A yes to nothing, an unknown purpose, a missing column: nothing is imported."""
    for said, options, error in (
        ("yes", {"grant": (), "evidence": None, "consent_column": "agreed"}, InvalidInput),
        ("sunshine", {"consent_column": "agreed"}, UnknownPurpose),
        ("yes", {"consent_column": "consented"}, InvalidInput),
    ):
        with pytest.raises(error):
            run(file_shop, write(tmp_path, consenting(said), "csv"), **options)
    assert file_shop.people() == 0


def test_importing_twice_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    """The same file under the same consent is done; under more consent its events are duplicates."""
    path = write(tmp_path, ROWS, "csv")
    first = run(shop, path, grant=("personalize",))
    assert run(shop, path, grant=("personalize",)).table == first.table
    again = run(shop, path)
    assert dict(again.table) == {"imported": 0, "guest": 1, "bad": 5, "duplicate": 3}
    assert shop.history("ann") == {("tea", 1, 1), ("mug", 5, 1)}
    assert len(shop.events("ann")) == 2


def test_a_no_in_the_ledger_is_not_overruled_by_a_file(shop: Shop, tmp_path: Path) -> None:
    """A person who withdrew stays out, against any statement of the operator; the others come in."""
    shop.consent("ann", grant=["personalize", "learn"])
    shop.consent("ann", withdraw=["personalize", "learn"])
    done = run(shop, write(tmp_path, ROWS, "csv"))
    assert dict(done.table) == {"imported": 1, "guest": 1, "bad": 5, "no_consent": 2}
    assert set(shop.states("ann").values()) == {"withdrawn"}


def test_erased_people_do_not_come_back_by_a_file(shop: Shop, tmp_path: Path) -> None:
    """A line that names a suppressed identifier is left out and counted."""
    from assent.store.topics import people
    from assent.terms.ids import Identifier

    blind = shop.vault.blind(Identifier("user_id", "bob"))
    shop.store.write(lambda session: people.suppress(session, "user_id", blind, 0))
    assert run(shop, write(tmp_path, ROWS, "csv")).table["suppressed"] == 1
    assert shop.find("bob") is None


def many(count: int) -> list[dict]:
    """Return lines of ten people."""
    return [
        {
            "user_id": f"person-{number % 10}",
            "product_id": f"item-{number}",
            "event": "view",
            "timestamp": 1_700_000_000 + number,
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_a_crash_in_the_middle_and_a_rerun_are_as_one_run(shop: Shop, tmp_path: Path, monkeypatch, kind) -> None:
    """Work from before the crash is not done again, and nothing is lost."""
    monkeypatch.setattr(frames, "BLOCK_ROWS", 10)
    monkeypatch.setattr(frames, "BLOCK_BYTES", 500)
    path = write(tmp_path, many(60), kind)
    step = importer._ImportJournal.step
    steps = []

    def crash(self, position, work):
        steps.append(position)
        if len(steps) == 3:
            message = "the power failed"
            raise OSError(message)
        step(self, position, work)

    monkeypatch.setattr(importer._ImportJournal, "step", crash)
    with pytest.raises(OSError, match="power"):
        run(shop, path)
    crashed = sum(len(shop.events(f"person-{number}")) for number in range(10))
    assert 0 < crashed < 60
    told = []
    done = run(shop.another(), path, progress=lambda lines, all_lines: told.append((lines, all_lines)))
    assert dict(done.table) == {"imported": 60, "guest": 0, "bad": 0}
    assert sum(len(shop.events(f"person-{number}")) for number in range(10)) == 60
    assert steps[3] == steps[2]
    assert told[-1] == (60, 60)


def test_two_imports_of_one_file_at_once_do_not_mix(file_shop: Shop, tmp_path: Path, monkeypatch) -> None:
    """The one that finds the file further than it left it stops, and nothing is counted twice."""
    path = write(tmp_path, many(4), "csv")
    stated_job = file_shop.intake.stated_job
    again = []

    def meanwhile(stated, evidence):
        if not again:
            again.append(None)
            assert run(file_shop.another(), path).table["imported"] == 4
        return stated_job(stated, evidence)

    monkeypatch.setattr(file_shop.intake, "stated_job", meanwhile)
    with pytest.raises(Conflict):
        run(file_shop, path)
    assert run(file_shop, path).table["imported"] == 4


@pytest.mark.parametrize(
    ("value", "at_ms"),
    [
        ("2011-03-01T10:00:00Z", 1298973600000),
        ("2011-03-01T10:00:00+02:00", 1298966400000),
        ("2011-03-01T10:00:00.250", 1298973600250),
        ("2011-03-01 10:00:00", 1298973600000),
        ("2011-03-01 10:00", 1298973600000),
        ("2011-03-01", 1298937600000),
        ("3/1/2011 10:00", 1298973600000),
        ("1298973600", 1298973600000),
        ("1298973600000", 1298973600000),
        (" 2011-03-01 ", 1298937600000),
        ("yesterday", None),
        ("", None),
    ],
)
def test_moments_are_read_in_the_forms_that_files_have(value, at_ms) -> None:
    """ISO 8601, dates, seconds, milliseconds and the American form; anything else is no moment."""
    frame = pl.DataFrame({"t": [value]})
    assert frame.select(frames.moment_expression("t", frame.schema["t"])).item() == at_ms


def test_moments_of_typed_columns_are_read() -> None:
    """Dates, moments with and without a zone, and numbers keep their meaning."""
    from datetime import UTC, date, datetime

    moment = datetime(2011, 3, 1, tzinfo=UTC)
    for values in ([date(2011, 3, 1)], [moment.replace(tzinfo=None)], [moment], [1298937600], [1298937600.0]):
        frame = pl.DataFrame({"t": values})
        assert frame.select(frames.moment_expression("t", frame.schema["t"])).item() == 1298937600000


def test_columns_may_be_named_in_a_mapping(file_shop: Shop, tmp_path: Path) -> None:
    """A column whose name does not tell can be given its part; a part or column that is not there is refused."""
    rows = [{"who": "ann", "what": "tea", "did": "view", "when": "2011-03-01", "user": "nobody"}]
    path = write(tmp_path, rows, "csv")
    mapping = {"user": "who", "item": "what", "event": "did", "at": "when"}
    options = {"grant": GRANT, "evidence": "asked"}
    assert file_shop.importer.import_events(path, mapping=mapping, **options).table["imported"] == 1
    assert file_shop.history("ann") == {("tea", 1, BOTH)}
    for wrong in ({"user": "whom"}, {"hero": "who"}):
        with pytest.raises(InvalidInput):
            file_shop.importer.import_events(path, mapping=wrong, **options)


def test_ids_that_are_numbers_keep_their_digits(file_shop: Shop, tmp_path: Path) -> None:
    """17850.0 is the customer 17850, in every kind of file."""
    path = tmp_path / "events.parquet"
    pl.DataFrame({"customer_id": [17850.0], "sku": [5], "event": ["view"], "time": [1_298_937_600]}).write_parquet(path)
    run(file_shop, path)
    assert file_shop.history("17850") == {("5", 1, BOTH)}


def test_lines_of_json_that_cannot_be_read_are_bad_and_the_others_are_not(file_shop: Shop, tmp_path: Path) -> None:
    """A broken line in an NDJSON file costs itself."""
    path = tmp_path / "events.ndjson"
    good = [json.dumps(row) for row in many(3)]
    path.write_text("\n".join([good[0], "{broken", "", good[1], "[]", good[2]]))
    assert dict(run(file_shop, path).table) == {"imported": 3, "guest": 0, "bad": 2}


def test_quotes_may_hold_line_breaks(file_shop: Shop, tmp_path: Path, monkeypatch) -> None:
    """A CSV field with a line break in it is one field, wherever a block would end."""
    monkeypatch.setattr(frames, "BLOCK_BYTES", 60)
    lines = "".join(f'"a\nb{number}",tea-{number},view,2011-03-01,"x\ny"\n' for number in range(9))
    path = tmp_path / "events.csv"
    path.write_text("user_id,product_id,event,timestamp,note\n" + lines)
    assert run(file_shop, path).table["imported"] == 9


def test_a_quote_that_never_ends_is_refused(file_shop: Shop, tmp_path: Path, monkeypatch) -> None:
    """A file that would have to be read as one field is not read into memory."""
    monkeypatch.setattr(frames, "BLOCK_BYTES", 100)
    monkeypatch.setattr(frames, "_LINE_BYTES_MAX", 100)
    path = tmp_path / "events.csv"
    path.write_text('user_id,product_id,event,timestamp\n"' + "ann,tea\n" * 500)
    with pytest.raises(TooLarge):
        run(file_shop, path)
    path.write_text('user_id,product_id,event,timestamp\nann,tea,view,"2011-03-01')
    with pytest.raises(InvalidInput):
        run(file_shop, path)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("events.xls", b"x", InvalidInput),
        ("missing.csv", None, NotFound),
        ("events.parquet", b"not parquet", InvalidInput),
        ("events.csv", b"a,b\n1,2\n", InvalidInput),
        ("events.csv", b"user_id,event\nann,view\n", InvalidInput),
        ("events.ndjson", b'{"a": 1}\n', InvalidInput),
    ],
)
def test_files_that_are_not_what_they_should_be(file_shop: Shop, tmp_path: Path, name, content, error) -> None:
    """Another kind, no file, damaged, or without the columns it needs: an error that says what to do."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error) as raised:
        run(file_shop, tmp_path / name)
    assert raised.value.advice


def test_an_unknown_shape_is_refused(file_shop: Shop, tmp_path: Path) -> None:
    """There are three shapes of file."""
    with pytest.raises(InvalidInput):
        run_shape = file_shop.importer.run
        run_shape("orders", write(tmp_path, ROWS, "csv"), grant=GRANT, evidence="x")


def test_an_empty_file_is_done_at_once(file_shop: Shop, tmp_path: Path) -> None:
    """No lines, nothing to account for."""
    for name, text in (("a.csv", "user_id,product_id,event,timestamp\n"), ("b.ndjson", "")):
        (tmp_path / name).write_text(text)
        assert run(file_shop, tmp_path / name).lines == 0


# -- items -----------------------------------------------------------------------------------------------------

GOODS = [
    {
        "sku": "tea",
        "title": "Green tea",
        "price": "3.5",
        "brand": "Leaf",
        "tags": "green|loose",
        "in_stock": "no",
        "origin": "Uji",
    },
    {"sku": "mug", "title": "Blue mug", "price": ""},
    {"sku": "", "title": "Nothing"},
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_items_becomes_the_catalog(shop: Shop, tmp_path: Path, kind) -> None:
    """Columns are found by name, others become properties, a line that is no item is bad."""
    done = shop.importer.run("items", write(tmp_path, GOODS, kind))
    assert (dict(done.table), done.lines) == ({"imported": 2, "bad": 1}, 3)
    tea = shop.catalog.get("tea").fields()
    assert (tea["name"], tea["price"], tea["brand"], tea["available"]) == ("Green tea", 3.5, "Leaf", False)
    assert (tea["tags"], tea["properties"]) == (["green", "loose"], {"origin": "Uji"})
    assert "price" not in shop.catalog.get("mug").facts
    assert shop.importer.run("items", tmp_path / f"events.{kind}").table == done.table


def test_ndjson_of_items_is_read_as_the_catalog_reads_it(shop: Shop, tmp_path: Path) -> None:
    """Each line is an item of the catalog's own shape."""
    path = tmp_path / "items.ndjson"
    path.write_text('{"id": "a", "name": "A"}\n\n{"id": "b"}\nnope\n{"id": "c", "name": "C", "price": 2}\n')
    assert dict(shop.importer.run("items", path).table) == {"imported": 2, "bad": 2}
    with shop.store.read() as session:
        assert [(row.id, row.listed) for row in items.all(session)] == [("a", 1), ("c", 1)]


def test_items_need_an_id_and_a_name(file_shop: Shop, tmp_path: Path) -> None:
    """A table without them is refused."""
    (tmp_path / "items.csv").write_text("price\n5\n")
    with pytest.raises(InvalidInput):
        file_shop.importer.run("items", tmp_path / "items.csv")


def test_an_item_id_that_is_a_number_keeps_its_digits(file_shop: Shop, tmp_path: Path) -> None:
    """A float column of ids gives whole ids; odd values in other columns do no harm."""
    path = tmp_path / "items.parquet"
    pl.DataFrame({"id": [5.0], "name": ["Five"], "price": [2], "sizes": [[1, 2]], "tags": [None]}).write_parquet(path)
    file_shop.importer.run("items", path)
    assert file_shop.catalog.get("5").facts["price"] == 2.0


def test_every_short_word_for_an_act_is_an_act() -> None:
    """The words that logs use stand for events of the vocabulary."""
    from assent.terms.events import ACTION_BY_EVENT

    assert set(events_and_items._ACTS.values()) <= ACTION_BY_EVENT.keys()
