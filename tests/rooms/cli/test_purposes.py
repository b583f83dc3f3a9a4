"""`assent purposes`: what people can be asked for."""

import json

import pytest


@pytest.fixture
def options(run):
    """Return what the command says on a new store, in words and as JSON."""
    run("init")
    return run("purposes").stdout, json.loads(run("purposes", "--json").stdout)["purposes"]


def test_each_purpose_is_a_row(options):
    """Id, title, whether it is optional, and how long data is kept for it."""
    words, purposes = options
    rows = {line.split()[0]: line for line in words.splitlines() if line.strip()}
    for each in purposes:
        assert f"{each['retention_days']:,} days" in rows[each["id"]]
    assert " no " in rows["service"]
    assert " yes " in rows["personalize"]
    assert max(map(len, words.splitlines())) <= 80


def test_programs_get_the_words_that_people_are_asked_with(options):
    """With `--json` each purpose has its text and its notices by language."""
    assert all(each["text"] and each["notices"]["en"]["text"] for each in options[1])
