"""The README is true: its Python and its shell lines are run as they stand."""

import json
import re

from docs.render import transcript
from tests.house.pages import ROOT, blocks, run_python, run_shell
from tests.processes import free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path):
    """The example suggests with reasons, stops being personal, and ends with a certificate that holds."""
    (example,) = blocks(README, "python")
    lines = run_python(example, tmp_path).splitlines()
    assert lines[0].startswith("Tea tin - ")
    assert lines[-2:] == ["personal: False", "certificate holds: True"]


def test_the_python_example_fits_a_screen():
    """Twenty lines, imports and blank ones aside."""
    (example,) = blocks(README, "python")
    assert sum(1 for line in example.splitlines() if line and "import" not in line) <= 20


def test_the_shell_example_runs(tmp_path):
    """The server starts, takes the event and answers with a decision."""
    (example,) = blocks(README, "bash")
    example = example.replace("8787", str(free_port())) + "\necho; kill %1; wait %1 || true\n"
    result = run_shell(example, tmp_path)
    taken, decided = [json.loads(text) for text in re.findall(r"\{.*\}", result.replace("}{", "}\n{"))]
    assert taken == {"success": True}
    assert decided["slot"] == "home"


def test_the_transcript_is_what_the_demo_prints():
    """Line by line, and whatever the figures on this machine, the transcript is what the demo prints."""
    (shown,) = blocks(README, "text")
    assert transcript.plain(shown) == transcript.plain(transcript.transcript(transcript.demo())), "run `make docs`"


def test_the_commands_exist():
    """Each `make` target that the README names is in the Makefile, and each page has its own sentence there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## .", makefile, re.MULTILINE))
    assert targets >= set(
        re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks(README, "sh")) + README.replace("makes", ""))
    )
    assert targets >= {"help", "setup", "demo", "test", "check", "bench", "docs"}
