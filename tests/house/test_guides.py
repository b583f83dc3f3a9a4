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
#: The existing files that each guide changes: what it may not promise to be less than it is.
CHANGED = {
    "add-a-capability": {"src/assent/engine/capabilities.py"},
    "add-a-model": {"src/assent/learn/registry.py"},
    "add-a-purpose": {"src/assent/consent/purposes.toml"},
    "add-a-route": {
        "src/assent/engine/server.py",
        "src/assent/web/api/server.py",
        "tests/rooms/web/permissions/server.py",
    },
}
#: A fenced block that names the file it belongs in: new files are whole, changes are diffs.
BLOCK = re.compile(r"^(```+)(\w+) file=(\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
#: What is run in the end, a command a line.
COMMANDS = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What a clone has, as far as the checks look at it.
FOLDERS = ("src", "tests", "docs", "bench", "examples")
COPIED = (*FOLDERS, "pyproject.toml", "Makefile", *(path.name for path in ROOT.glob("*.md")))
LEFT_OUT = shutil.ignore_patterns("__pycache__")


def copy_to(root: Path) -> None:
    """Copy the tree."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, root / name)


def written(page: str, root: Path) -> set[str]:
    """Do what a guide says in a copy of the tree; return the files that it changes."""
    changed = set()
    for _, language, name, content in BLOCK.findall(page):
        target = root / name
        if language == "diff":
            assert content.startswith(f"--- a/{name}\n+++ b/{name}\n"), f"the diff of {name} is of another file"
            command = ["git", "apply", "--recount", "-"]
            done = subprocess.run(command, cwd=root, input=content, text=True, capture_output=True, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}"
            changed.add(name)
        else:
            assert not target.exists(), f"{name} is there already"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    return changed


def run(root: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run one command of a guide in the copy, with this interpreter and the tools beside it."""
    tools = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))},
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(root / "src"),
    }
    return subprocess.run(line, shell=True, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_tells_to_write_works(path, tmp_path):
    """Its files and its changes fit today's tree, no other existing file changes, and what it says to run passes."""
    copy_to(tmp_path)
    page = path.read_text(encoding="utf-8")
    assert written(page, tmp_path) == CHANGED[path.stem]
    (commands,) = COMMANDS.findall(page)
    for line in commands.splitlines():
        done = run(tmp_path, line)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_there_are_guides():
    """The test above looks at each of them."""
    assert {path.stem for path in GUIDES} == CHANGED.keys()


@pytest.fixture
def tree(tmp_path):
    """Make a tree of one file."""
    (tmp_path / "kept.py").write_text("one = 1\ntwo = 2\n")
    return tmp_path


def test_a_guide_writes_and_changes_files(tree):
    """New files are whole, also those with code blocks of their own; a diff finds its place by its lines."""
    page = (
        "````md file=docs/new.md\n```python\nx\n```\n````\n"
        "```diff file=kept.py\n--- a/kept.py\n+++ b/kept.py\n@@ -9,1 +9,2 @@\n one = 1\n+half = 0.5\n two = 2\n```\n"
    )
    assert written(page, tree) == {"kept.py"}
    assert (tree / "docs" / "new.md").read_text() == "```python\nx\n```\n"
    assert (tree / "kept.py").read_text() == "one = 1\nhalf = 0.5\ntwo = 2\n"


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("```python file=kept.py\none = 3\n```\n", "there already"),
        (
            "```diff file=kept.py\n--- a/kept.py\n+++ b/kept.py\n@@ -1 +1 @@\n-gone = 1\n+one = 3\n```\n",
            "does not apply",
        ),
        (
            "```diff file=kept.py\n--- a/other.py\n+++ b/other.py\n@@ -1 +1 @@\n-one = 1\n+one = 3\n```\n",
            "another file",
        ),
    ],
)
def test_a_guide_that_does_not_fit_is_told(tree, page, fault):
    """A file that is not new, a line that is not there any more, a diff of another file."""
    with pytest.raises(AssertionError, match=fault):
        written(page, tree)


def test_a_command_that_fails_is_seen_and_runs_on_the_copy(tree):
    """What a line of a guide imports is the copy's."""
    (tree / "src" / "assent").mkdir(parents=True)
    (tree / "src" / "assent" / "__init__.py").write_text("raise SystemExit(7)\n")
    assert run(tree, "python -c 'import assent'").returncode == 7
