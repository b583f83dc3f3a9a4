"""`assent bench` with names: the measurements that a checkout of the source carries."""

import json

import pytest
from click.testing import CliRunner

from assent.bench import measurements as checkout_module
from assent.cli.app import main

MEASURE = '''"""A made-up measurement.

More about it.
"""


def rows():
    return [{"what": "a thing", "target": "< 2", "measured": "1", "ok": %s}]
'''


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Make a folder that looks like a checkout with two measurements, one of them missed."""
    monkeypatch.setattr(checkout_module, "__file__", str(tmp_path / "elsewhere" / "a" / "b" / "c" / "d" / "e.py"))
    (tmp_path / "bench").mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bench" / "good.py").write_text(MEASURE % "True")
    (tmp_path / "bench" / "poor.py").write_text(MEASURE % "False")
    (tmp_path / "bench" / "helper.py").write_text('"""No measurement."""\n')
    (tmp_path / "bench" / "broken.py").write_text('"""Broken."""\n\n\ndef rows():\n    raise SystemExit(3)\n')
    monkeypatch.chdir(tmp_path)
    return lambda *line: CliRunner().invoke(main, ["bench", *line], catch_exceptions=False)


def test_bench_lists_what_can_be_measured(checkout):
    """Without a name, the measurements are listed with the first line of what they say of themselves."""
    result = checkout("--json")
    assert json.loads(result.stdout) == {
        "broken": "Broken.",
        "good": "A made-up measurement.",
        "poor": "A made-up measurement.",
    }
    assert "A made-up measurement." in checkout().stdout


def test_bench_ends_with_1_when_a_target_is_missed(checkout):
    """Every row is shown with its target; one that is missed makes the exit code 1."""
    good = checkout("good")
    assert good.exit_code == 0
    assert "a thing" in good.stdout
    both = checkout("good", "poor", "--json")
    assert both.exit_code == 1
    assert [row["ok"] for row in json.loads(both.stdout)] == [True, False]
    assert "MISSED" in checkout("poor").stdout


@pytest.mark.parametrize("name", ["nothing", "helper", "broken"])
def test_bench_says_when_there_is_nothing_to_run(checkout, name):
    """An unknown name, a module without rows and one that breaks are errors with advice."""
    result = checkout(name)
    assert result.exit_code == 1
    assert "Error: " in result.stderr


def test_bench_says_where_the_measurements_are_when_they_are_not_here(tmp_path, monkeypatch):
    """Outside a checkout the command says that the measurements come with the source."""
    monkeypatch.setattr(checkout_module, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "e.py"))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["bench"])
    assert result.exit_code == 1
    assert "are part of the source" in " ".join(result.stderr.split())
