"""The description of the API is true: it names every route, and a fuzzer that believes it finds no fault."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assent.engine import ROLES
from assent.web.http.auth import PUBLIC
from tests.rooms.web.operations import EVERY
from tests.rooms.web.server import start_server


def test_each_operation_is_described(document):
    """Each method of each path is there once, with the act that a key needs, and nothing else is."""
    result = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert document["openapi"] == "3.1.0"
    assert result == {(operation.method, operation.path) for operation in EVERY}
    for operation in EVERY:
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


def test_each_shape_that_is_referred_to_is_there(document):
    """Two files of the API may not give one name to two shapes: neither could then be referred to."""
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert found <= document["components"]["schemas"].keys()
    assert "Certificate" in found


@pytest.mark.slow
def test_a_fuzzer_that_believes_the_description_finds_no_fault(shop, tmp_path):
    """Schemathesis, with all its checks on, against a real server: right and wrong requests to every route."""
    shop.engine.train()
    command = Path(sys.executable).with_name("schemathesis")
    with start_server(shop.url) as server:
        line = [command, "run", f"{server.url}/openapi.json", "--max-examples", "10", "--no-color"]
        line += ["--header", f"Authorization: Bearer {shop.keys['server']}"]
        result = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-6000:]
