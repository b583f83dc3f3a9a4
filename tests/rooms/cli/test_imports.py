"""`assent import`: every line accounted for."""

import json

import pytest
from click.testing import CliRunner

from assent.cli.app import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run commands on a new store in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("ASSENT_STORE", "ASSENT_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*line):
        return CliRunner().invoke(main, line, catch_exceptions=False)

    assert invoke("init").exit_code == 0
    return invoke


ITEMS = "id,name,price\nA1,Red Kettle,19.95\nA2,Blue Kettle,24.95\n,nameless,3\n"
EVENTS = (
    "user_id,event,product_id,timestamp,agreed\n"
    "ana,Product Viewed,A1,2026-01-05T09:00:00Z,yes\n"
    "ana,Product Viewed,A2,2026-01-05T09:01:00Z,yes\n"
    "bo,Product Viewed,A1,2026-01-05T09:02:00Z,no\n"
    ",Product Viewed,A1,2026-01-05T09:03:00Z,yes\n"
    "cy,Product Viewed,A1,some time ago,yes\n"
)


def test_items_are_imported_and_every_line_is_told(run, tmp_path):
    """The table adds up to the lines of the file, in words and as JSON."""
    (tmp_path / "goods.csv").write_text(ITEMS)
    result = run("import", "items", "goods.csv")
    assert result.exit_code == 0
    assert "imported" in result.stdout
    done = json.loads(run("import", "items", "goods.csv", "--json").stdout)
    assert sum(done["table"].values()) == done["lines"] == 3
    assert done["table"]["imported"] == 2


def test_events_need_a_stated_consent(run, tmp_path):
    """Without a statement nothing is imported, and the advice says how to make one."""
    (tmp_path / "events.csv").write_text(EVENTS)
    result = run("import", "events", "events.csv")
    assert result.exit_code == 1
    assert "--grant" in result.stderr
    assert "--evidence" in result.stderr
    assert run("export", "ana").exit_code == 1


def test_events_are_imported_under_the_stated_consent(run, tmp_path):
    """With `--grant`, `--evidence` and a column: yes is stored, no is not, and the table adds up."""
    (tmp_path / "events.csv").write_text(EVENTS)
    line = ["--grant", "personalize,learn", "--evidence", "asked at the till", "--consent-column", "agreed", "--json"]
    done = json.loads(run("import", "events", "events.csv", *line).stdout)
    assert sum(done["table"].values()) == done["lines"] == 5
    assert done["table"] == done["table"] | {"imported": 2, "no_consent": 1, "guest": 1, "bad": 1}
    held = run("export", "ana")
    assert held.exit_code == 0
    assert "asked at the till" in held.stdout
    assert run("export", "bo").exit_code == 1


@pytest.mark.parametrize("name", ["events.exe", "broken.parquet"])
def test_a_file_of_another_kind_is_an_error_with_advice(run, tmp_path, name):
    """What cannot be read as CSV, Parquet or NDJSON is refused in words."""
    (tmp_path / name).write_bytes(b"\x00\x01\x02")
    result = run("import", "events", name, "--grant", "learn", "--evidence", "x")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


def test_a_file_that_is_not_there_is_a_usage_error(run):
    """A missing file ends with exit code 2 before the store is opened."""
    assert run("import", "events", "nowhere.csv").exit_code == 2
