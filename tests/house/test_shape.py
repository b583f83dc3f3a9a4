"""The shape of the code: short functions, modules of a size that can be read, tests that say what they hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400

#: Paths of one machine, hosts of package registries, notes of work left undone.
NOT_OURS = re.compile(
    r"(?<![\w.~$/])/(?:work|root|home|Users|opt)/"
    r"|\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b"
    r"|\b(?:TODO|FIXME|XXX)\b"
    r"|\bissue #?\d"
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def own_files() -> list[Path]:
    """Return every file of the source: what is tracked, and what would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing tells source from what a build left behind")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_functions_are_short():
    """No function of the package has 70 lines or more."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {lines_of(node)} lines"
        for path in SOURCES
        for node in functions(path)
        if lines_of(node) >= FUNCTION_LINES_MAX
    ]
    assert not long


def test_modules_can_be_read_in_one_go():
    """No module of the package has 400 lines or more."""
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not {str(path.relative_to(ROOT)): count for path, count in counts.items() if count >= MODULE_LINES_MAX}


def test_each_test_says_what_it_holds():
    """Every test has a sentence that says what is true when it passes."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in functions(path)
        if node.name.startswith("test_") and not (ast.get_docstring(node) or "").strip().endswith(".")
    ]
    assert not silent


def test_no_test_sleeps():
    """Waiting for a clock makes tests slow and then wrong; between two looks at another process 50 ms are enough."""
    sleeping = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"} and not is_a_glance(node)
    ]
    assert not sleeping


def is_a_glance(call: ast.Call) -> bool:
    """Tell whether a sleep is a number in the source of at most 50 ms."""
    (length,) = call.args
    return isinstance(length, ast.Constant) and length.value <= 0.05


def test_the_source_speaks_of_itself_alone():
    """No path of a machine, no registry's host, no note of work left undone."""
    found = []
    for path in own_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {match[0]}" for match in NOT_OURS.finditer(text) if path != Path(__file__)
        ]
    assert not found
