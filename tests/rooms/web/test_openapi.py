"""The description of the API is true: it names every route, and a fuzzer that believes it finds no fault."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from assent.catalog import Item
from assent.engine import ROLES
from assent.web import shapes
from assent.web.keys import PUBLIC
from assent.web.table import OPERATIONS
from tests.rooms.web.server import start_server


@pytest.fixture(scope="session")
def document(still_client):
    """Return the description as a client gets it."""
    return still_client.get("/openapi.json").json()


def test_each_row_of_the_table_is_described(document):
    """Each method of each path is there once, with the act that a key needs, and nothing else is."""
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert document["openapi"] == "3.1.0"
    assert told == {(operation.method, operation.path) for operation in OPERATIONS}
    for operation in OPERATIONS:
        described = document["paths"][operation.path][operation.method.lower()]
        assert described["operationId"] == operation.name
        assert bool(described["security"]) == (operation.act != PUBLIC)
        assert described.get("x-act") in {None, *frozenset.union(*ROLES.values())}


def test_each_error_is_described_as_a_problem_detail(document):
    """Every status of 400 and more has the media type of RFC 9457."""
    for methods in document["paths"].values():
        for described in methods.values():
            errors = [answer for status, answer in described["responses"].items() if int(status) >= 400]
            assert errors
            assert all(answer["content"].keys() == {"application/problem+json"} for answer in errors)


def test_items_are_described_as_the_catalogue_reads_them():
    """The published shape of an item has the fields of the catalogue's own, with the same defaults."""

    def fields(shape):
        return {field.name: field.default for field in msgspec.structs.fields(shape)}

    assert fields(shapes.Item) == fields(Item)


def test_the_purposes_that_can_be_chosen_are_named(document, still):
    """Only optional purposes can be granted or withdrawn, and the description lists exactly those."""
    listed = document["components"]["schemas"]["Choices"]["properties"]["grant"]["items"]["enum"]
    assert sorted(listed) == sorted(each.id for each in still.engine.purposes.all() if each.optional)


@pytest.mark.slow
def test_a_fuzzer_that_believes_the_description_finds_no_fault(shop, tmp_path):
    """Schemathesis, with all its checks on, against a real server: right and wrong requests to every route."""
    shop.engine.train()
    command = Path(sys.executable).with_name("schemathesis")
    with start_server(shop.url) as server:
        line = [command, "run", f"{server.url}/openapi.json", "--max-examples", "10", "--no-color"]
        line += ["--header", f"Authorization: Bearer {shop.keys['server']}"]
        told = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-6000:]
