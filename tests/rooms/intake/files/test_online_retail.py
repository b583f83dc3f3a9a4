"""The shape of UCI Online Retail: made-up lines of every sort, and the real file."""

from __future__ import annotations

import resource
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from assent.intake.files import importer
from assent.intake.files.frames import open_source
from assent.intake.files.online_retail import read_retail, readable
from assent.store import Store
from assent.store.topics import items
from assent.terms.errors import InvalidInput
from assent.testing import FixedClock, SeededRandomness
from assent.vault.seals import EVIDENCE
from tests.rooms.intake.shop import BOTH, Shop

STATED = {"grant": ("personalize", "learn"), "evidence": "terms of 2010"}
HEADING = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
#: The file's moments name no zone.
NAIVE = datetime.fromisoformat
LINES = [
    ("1001", "85123A", "WHITE  HEART HOLDER.", 6, NAIVE("2010-12-01T08:26"), 2.55, 17850.0, "United Kingdom"),
    ("1001", "85123A", "WHITE  HEART HOLDER.", 6, NAIVE("2010-12-01T08:26"), 2.55, 17850.0, "United Kingdom"),
    ("1001", "22752", "SET 7 BABUSHKA BOXES", 2, NAIVE("2010-12-01T08:27"), 7.65, 17850.0, "United Kingdom"),
    ("1002", "22752", "set damaged", 1, NAIVE("2011-03-01"), 5.0, 13047.0, "France"),
    ("1003", "22752", "SET 7 BABUSHKA BOXES", 1, NAIVE("2011-04-01"), 9.0, None, "France"),
    ("C1004", "22752", "SET 7 BABUSHKA BOXES", -1, NAIVE("2011-04-02"), 7.65, 17850.0, "United Kingdom"),
    ("1005", "POST", "POSTAGE", 1, NAIVE("2011-04-03"), 18.0, 13047.0, "France"),
    ("1006", "22752", None, -9, NAIVE("2011-04-04"), 0.0, 13047.0, "France"),
    ("1006", "22752", None, 5, NAIVE("2011-04-04"), 0.0, 13047.0, "France"),
    ("1006", "22752", None, 5, None, 1.0, 13047.0, "France"),
    (None, "22752", None, 5, NAIVE("2011-04-04"), 1.0, 13047.0, "France"),
]
TABLE = {"imported": 4, "guest": 1, "cancelled": 1, "not_goods": 1, "bad": 4}


def made_up(tmp_path: Path, kind: str, **extra: list) -> Path:
    """Write the made-up lines as a file of that shape."""
    frame = pl.DataFrame(LINES, schema=list(HEADING), orient="row").with_columns(
        pl.Series(name, values) for name, values in extra.items()
    )
    path = tmp_path / f"retail.{kind}"
    if kind == "parquet":
        frame.write_parquet(path)
    else:
        frame.with_columns(pl.col("InvoiceDate").dt.strftime("%m/%d/%Y %H:%M")).write_csv(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_line_ends_somewhere(shop: Shop, tmp_path: Path, kind) -> None:
    """Orders of known customers come in, one event an invoice; all other lines are told apart and counted."""
    done = shop.importer.run("online-retail", made_up(tmp_path, kind), **STATED)
    assert (dict(done.table), done.lines) == (TABLE, len(LINES))
    assert shop.history("17850") == {("85123A", 5, BOTH), ("22752", 5, BOTH)}
    ((_, order),) = shop.events("17850")
    assert (order["event"], order["at_ms"]) == ("Order Completed", 1291191960000)
    assert order["properties"]["order_id"] == "1001"
    assert order["properties"]["total"] == 45.9
    assert [each["quantity"] for each in order["properties"]["products"]] == [6, 6, 2]
    assert shop.days("13047") == [15034]
    assert shop.people() == 2


def test_goods_become_items_with_names_prices_and_sights(shop: Shop, tmp_path: Path) -> None:
    """The most frequent description made readable, the median price, the first and the last sale."""
    shop.importer.run("online-retail", made_up(tmp_path, "parquet"), **STATED)
    heart, boxes = shop.catalog.get("85123A").fields(), shop.catalog.get("22752").fields()
    assert (heart["name"], heart["price"], heart["currency"]) == ("White Heart Holder", 2.55, "GBP")
    assert (boxes["name"], boxes["price"]) == ("Set 7 Babushka Boxes", 7.65)
    assert (boxes["first_seen"], boxes["last_seen"][:10]) == ("2010-12-01T08:27:00.000Z", "2011-04-01")
    with shop.store.read() as session:
        assert {row.id for row in items.all(session)} == {"85123A", "22752"}


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "White Hanging Heart T-Light Holder"),
        ("  LUNCH BAG  RED RETROSPOT. ", "Lunch Bag Red Retrospot"),
        ("CHILDREN'S APRON DOLLY GIRL", "Children's Apron Dolly Girl"),
        ("Already Fine 3D", "Already Fine 3D"),
        ("...", "..."),
        (" ", "Unnamed"),
    ],
)
def test_names_are_readable(description, name) -> None:
    """Capitals become title case; spaces and stray marks go."""
    assert readable(description) == name


def test_a_column_may_say_who_agreed(shop: Shop, tmp_path: Path) -> None:
    """Only customers who agreed come in; the lines of the others are counted."""
    agreed = ["personalize"] * 3 + ["no"] * 8
    path = made_up(tmp_path, "parquet", agreed=agreed)
    done = shop.importer.run("online-retail", path, consent_column="agreed")
    assert dict(done.table) == {**TABLE, "imported": 3, "no_consent": 1}
    assert shop.states("17850") == {"personalize": "granted"}
    assert shop.find("13047") is None


def test_a_crash_in_the_middle_and_a_rerun_are_as_one_run(shop: Shop, tmp_path: Path, monkeypatch) -> None:
    """Customer by customer: what was done is not done again."""
    monkeypatch.setattr(importer, "PEOPLE_PER_JOB", 1)
    path = made_up(tmp_path, "csv")
    step = importer._ImportJournal.step
    for crash_at in (1, 2, 3):

        def crash(self, position, work, crash_at=crash_at):
            if position == crash_at:
                message = "the power failed"
                raise OSError(message)
            step(self, position, work)

        monkeypatch.setattr(importer._ImportJournal, "step", crash)
        with pytest.raises(OSError, match="power"):
            shop.importer.run("online-retail", path, **STATED)
    monkeypatch.setattr(importer._ImportJournal, "step", step)
    assert dict(shop.another().importer.run("online-retail", path, **STATED).table) == TABLE
    assert len(shop.events("17850")) == len(shop.events("13047")) == 1
    assert dict(shop.importer.run("online-retail", path, **STATED).table) == TABLE


def test_other_files_are_refused(file_shop: Shop, tmp_path: Path) -> None:
    """A file without the columns of the shape, or of a kind it does not come in, is not guessed at."""
    for name, text in (("a.csv", "InvoiceNo,StockCode\n1,2\n"), ("b.ndjson", "{}\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidInput) as raised:
            file_shop.importer.run("online-retail", tmp_path / name, **STATED)
        assert raised.value.advice


@pytest.fixture
def retail_path(shared_data: Path) -> Path:
    """Return the real file (UCI Online Retail, D. Chen 2015, CC BY 4.0)."""
    path = shared_data / "online-retail" / "online_retail.parquet"
    if not path.exists():
        pytest.skip(f"no {path.name} in the shared data")
    return path


def test_the_real_file_is_sorted_line_by_line(retail_path: Path) -> None:
    """541,909 lines: the counts of every outcome, the pairs to learn from, and names that people can read."""
    retail = read_retail(open_source(retail_path))
    assert retail.lines == 541_909 == sum(retail.table.values())
    assert retail.table == {"imported": 396_337, "guest": 133_840, "cancelled": 9_288, "not_goods": 2_411, "bad": 33}
    pairs = retail.orders.explode("code", "quantity", "price").select("customer", "code")
    assert (pairs.height, pairs.n_unique(), retail.orders["customer"].n_unique()) == (396_337, 266_221, 4_334)
    names = {item.id: item.name for item in retail.items}
    assert names["85123A"] == "White Hanging Heart T-Light Holder"
    assert not any(name.isupper() and len(name) > 8 for name in names.values())


@pytest.mark.slow
def test_the_real_file_comes_in_whole(retail_path: Path, tmp_path: Path, clock: FixedClock) -> None:
    """Every order of every known customer is in their history, under the stated consent, in bounded memory."""
    with Store.open(tmp_path / "retail.db") as store:
        shop = Shop(store, tmp_path / "retail.key", clock, SeededRandomness(6))
        done = shop.importer.run("online-retail", retail_path, **STATED)
        assert done.lines == sum(done.table.values()) == 541_909
        assert done.table["imported"] == 396_337
        assert shop.people() == 4_334
        retail = read_retail(open_source(retail_path))
        bought = retail.orders.filter(pl.col("customer") == "17850").explode("code")["code"].unique()
        assert {item for item, _, _ in shop.history("17850")} == set(bought)
        with store.read() as session:
            entry = shop.ledger.entries(session, shop.find("17850"))[0]
        assert shop.key("17850").open(EVIDENCE, 0, entry.evidence) == b"terms of 2010"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
