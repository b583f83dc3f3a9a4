"""The guides are true: what each tells to write is written into a copy of the tree, and its tests run there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guide").glob("add-a-*.md"))
#: A fenced block that names the file it belongs in: new files are whole, changes are diffs.
BLOCK = re.compile(r"^```(\w+) file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What is run in the end, a command a line.
COMMANDS = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("src", "tests", "docs", "pyproject.toml", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "Makefile")


def written(page: str, root: Path) -> tuple[list[str], list[str]]:
    """Do what a guide says in a copy of the tree; return the files that it makes, and those that it changes."""
    made, changed = [], []
    for language, name, content in BLOCK.findall(page):
        if language == "diff":
            command = ["git", "apply", "--recount", "-"]
            done = subprocess.run(command, cwd=root, input=content, text=True, capture_output=True, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}"
            changed.append(name)
        else:
            target = root / name
            assert not target.exists(), f"{name} is there already"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
            made.append(name)
    return made, changed


def run(root: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run one command of a guide in the copy, with this interpreter and the tools beside it."""
    tools = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))},
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(root / "src"),
    }
    return subprocess.run(line, shell=True, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_tells_to_write_works(path, tmp_path):
    """Its files and its changes fit today's tree, few existing files change, and what it says to run passes."""
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    page = path.read_text(encoding="utf-8")
    made, changed = written(page, tmp_path)
    assert made
    assert len(set(changed)) <= 1, changed
    (commands,) = COMMANDS.findall(page)
    for line in commands.splitlines():
        done = run(tmp_path, line)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_there_are_guides():
    """The test above looks at something."""
    assert {path.stem for path in GUIDES} >= {"add-a-capability", "add-a-model", "add-a-purpose", "add-a-route"}
