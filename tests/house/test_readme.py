"""The README is true: its Python and its shell lines are run as they stand."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from docs.render import transcript
from tests.processes import free_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_python_example_runs(tmp_path):
    """The example suggests with reasons, stops being personal, and ends with a certificate that holds."""
    (example,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Tea tin - ")
    assert lines[-2:] == ["personal: False", "certificate holds: True"]


def test_the_python_example_fits_a_screen():
    """Twenty lines, imports and blank ones aside."""
    (example,) = blocks("python")
    assert sum(1 for line in example.splitlines() if line and "import" not in line) <= 20


def test_the_shell_example_runs(tmp_path):
    """The server starts, takes the event and answers with a decision."""
    (example,) = blocks("bash")
    port = free_port()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", example.replace("8787", str(port)) + "\necho; kill %1; wait %1 || true\n"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        told, complaints = shell.communicate(timeout=60)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, told + complaints
    taken, decided = [json.loads(text) for text in re.findall(r"\{.*\}", told.replace("}{", "}\n{"))]
    assert taken == {"success": True}
    assert decided["slot"] == "home"


def test_the_transcript_is_what_the_demo_prints():
    """Line by line, and whatever the figures on this machine, the transcript is what the demo prints."""
    (shown,) = blocks("text")
    assert transcript.plain(shown) == transcript.plain(transcript.transcript(transcript.demo())), "run `make docs`"


def test_the_commands_exist():
    """Each `make` target that the README names is in the Makefile, and each page has its own sentence there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## .", makefile, re.MULTILINE))
    assert targets >= set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks("sh")) + README.replace("makes", "")))
    assert targets >= {"help", "setup", "demo", "test", "check", "bench", "docs"}
