"""The examples are true: each runs by itself in an empty folder, and the README names it."""

import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from assent.testing.models import AdditiveModelContract
from tests.house.pages import ROOT
from tests.processes import free_port

FOLDER = ROOT / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))
#: What the last line of each program says when everything went well; the one that is served has none.
LAST = {
    "model_alone": "Forgotten as if never known: True",
    "own_model": "Forgotten as if never known: True",
    "shop": "Everything holds: True",
}
SERVED = "behind_another_app"
SECONDS_MAX = 60


def test_every_example_is_run_here_and_named_in_the_readme():
    """None is left out."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in EXAMPLES} == {*LAST, SERVED}
    assert {path.name for path in EXAMPLES} == set(re.findall(r"\]\(examples/([^)]+)\)", readme))


@pytest.mark.parametrize("name", LAST)
def test_a_program_runs_by_itself(name, tmp_path):
    """It needs nothing but the package, leaves no file behind, warns of nothing, and ends as it should."""
    line = [sys.executable, "-W", "error", str(FOLDER / f"{name}.py")]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == LAST[name]
    assert not [*tmp_path.iterdir()]


@pytest.fixture
def served(tmp_path):
    """Serve the application with granian, as its docstring says; give its address."""
    port = free_port()
    line = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--port", str(port)]
    line += ["--working-dir", str(FOLDER), f"{SERVED}:app"]
    process = subprocess.Popen(line, cwd=tmp_path, env={"SHOP_DB": str(tmp_path / "shop.db")}, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(SECONDS_MAX * 20):
            try:
                httpx.get(address)
                break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()[1].decode()
                time.sleep(0.05)
        yield SimpleNamespace(url=address, store=tmp_path / "shop.db")
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS_MAX)


def test_the_api_answers_behind_another_application(served):
    """What is under its prefix is the API, keys and all; the rest is the shop's own."""
    from assent import Engine

    with Engine.open(str(served.store), create=False) as engine:
        key = {"Authorization": f"Bearer {engine.keys.make('server')}"}
    with httpx.Client(base_url=served.url) as client:
        assert client.get("/anything").text == "The shop's own page."
        assert client.get("/assent/health").json() == {"status": "ok"}
        assert client.get("/assent/v1/purposes").status_code == 401
        put = client.put("/assent/v1/items", headers=key, json={"id": "a/b", "name": "Pot"})
        assert put.json() == {"stored": 1}
        assert client.get("/assent/v1/items/a%2Fb", headers=key).json()["name"] == "Pot"
        decided = client.post("/assent/v1/decide", headers=key, json={"count": 1}).json()
        assert [each["item"] for each in decided["items"]] == ["a/b"]


class TestOwnModel(AdditiveModelContract):
    """The model of the example is one that the engine would keep."""

    @classmethod
    def setup_class(cls):
        import runpy

        cls.model = runpy.run_path(str(FOLDER / "own_model.py"), run_name="own_model")["Popularity"]()
