"""`assent serve` and `assent bench`: commands that hand over to another process."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from assent.cli import bench as bench_module
from assent.cli.app import main
from assent.cli.serving import serve_command

MEASURE = '''"""A made-up measurement.

More about it.
"""


def rows():
    return [{"what": "a thing", "target": "< 2", "measured": "1", "ok": %s}]
'''


def test_the_server_is_the_web_rooms_own():
    """The command line names store, address, workers, and the key file only when it is named."""
    line = serve_command("sqlite:///a.db", None, "127.0.0.1", 8787, 2)
    assert line[:3] == [sys.executable, "-m", "assent.web"]
    assert "--keys" not in line
    assert serve_command("sqlite:///a.db", Path("k"), "127.0.0.1", 8787, 1)[-2:] == ["--keys", "k"]


def test_serve_answers_until_it_is_told_to_stop(tmp_path):
    """A served store answers at the address that was printed; a request to stop ends it with 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [sys.executable, "-m", "assent.cli"]
    subprocess.run([*program, "init"], cwd=tmp_path, check=True, capture_output=True)
    server = subprocess.Popen(
        [*program, "serve", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        until = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < until:
            try:
                assert httpx.get(f"http://127.0.0.1:{port}/health").json()["status"] == "ok"
                break
            except httpx.TransportError:
                time.sleep(0.05)
        else:
            pytest.fail(server.communicate()[1])
    finally:
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=60)
    assert server.returncode == 0, out + err
    assert "Traceback" not in err


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Make a folder that looks like a checkout with two measurements, one of them missed."""
    monkeypatch.setattr(bench_module, "__file__", str(tmp_path / "elsewhere" / "a" / "b" / "c" / "bench.py"))
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
    told = checkout("--json")
    assert json.loads(told.stdout) == {
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
    told = checkout(name)
    assert told.exit_code == 1
    assert "Error: " in told.stderr


def test_bench_says_where_the_measurements_are_when_they_are_not_here(tmp_path, monkeypatch):
    """Outside a checkout the command says that the measurements come with the source."""
    monkeypatch.setattr(bench_module, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "bench.py"))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["bench"])
    assert told.exit_code == 1
    assert "come with the source" in " ".join(told.stderr.split())
