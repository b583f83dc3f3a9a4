"""The findings of `assent doctor`."""

import os
from dataclasses import replace

import pytest

from assent.cli.views.findings import checkup
from assent.terms.answers.server import ModelFacts, StoreFacts
from assent.terms.clock import DAY_MS

NOW_MS = 1_767_603_600_000


@pytest.fixture
def key_path(tmp_path):
    """Make a key file as `assent init` leaves it."""
    path = tmp_path / "shop.key"
    path.write_bytes(b"made up")
    path.chmod(0o600)
    return path


def facts(**changes):
    """Return the facts of a shop in which all is well, with changes."""
    model = ModelFacts(3, 9, 20, "ab" * 32, NOW_MS - DAY_MS)
    well = {
        "store": "sqlite:///shop.db",
        "dialect": "sqlite",
        "schema": {"current": 1, "wanted": 1},
        "people": 12,
        "records": 40,
        "decisions": 3,
        "items": 20,
        "unlisted_items": 0,
        "erasures_open": 0,
        "api_keys": 2,
        "model": model,
        "models": {"recommender": model},
        "now_ms": NOW_MS,
        "key_file": "shop.key",
    }
    return StoreFacts(**(well | changes))


def by_name(findings):
    """Return findings by their names."""
    return {finding.name: finding for finding in findings}


def test_a_well_shop_has_no_advice(key_path):
    """When all is well, nothing asks for care and there is nothing to do."""
    findings = checkup(facts(), key_path)
    assert all(finding.well and not finding.advice for finding in findings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read_needs_care(key_path, mode):
    """Any bit for group or others is told with the command that mends it."""
    key_path.chmod(mode)
    finding = by_name(checkup(facts(), key_path))["key file"]
    assert not finding.well
    assert finding.advice == f"Others can read it: chmod 600 {key_path}"
    os.chmod(key_path, 0o400)  # noqa: PTH101 - the path may also be made read-only
    assert by_name(checkup(facts(), key_path))["key file"].well


@pytest.mark.parametrize(
    ("changes", "name", "advice"),
    [
        ({"api_keys": 0}, "keys given out", "assent init"),
        ({"people": 0, "model": None}, "held", "send events"),
        ({"unlisted_items": 4}, "goods", "assent import items"),
        ({"items": 0}, "goods", "assent import items"),
        ({"model": None}, "model", "assent train"),
    ],
)
def test_what_is_missing_is_advice_and_no_fault(key_path, changes, name, advice):
    """A new shop is well; the doctor says what to do next."""
    finding = by_name(checkup(facts(**changes), key_path))[name]
    assert finding.well
    assert advice in finding.advice


def test_an_old_model_is_told_to_be_trained_again(key_path):
    """A model older than a week is told with its age."""
    old = replace(facts().model, at_ms=NOW_MS - 9 * DAY_MS)
    finding = by_name(checkup(facts(model=old), key_path))["model"]
    assert "9 days" in finding.advice
    assert "assent train" in finding.advice


def test_an_interrupted_erasure_and_another_schema_need_care(key_path):
    """An open erasure and a schema of another version are faults."""
    findings = by_name(checkup(facts(erasures_open=1, schema={"current": 1, "wanted": 2}), key_path))
    assert not findings["erasures under way"].well
    assert not findings["schema"].well


def test_nothing_learned_in_an_empty_shop_needs_no_training(key_path):
    """Where nobody is known yet, training is not advised."""
    assert by_name(checkup(facts(people=0, model=None), key_path))["model"].advice == ""
