"""What each model promises stands beside it, and names the tests that hold it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODELS = [path.parent for path in sorted((ROOT / "src" / "assent" / "models").glob("*/__init__.py"))]
HEADINGS = ("Given", "Returns", "Forgets", "Not promised")


def every_test() -> set[str]:
    """Return the name of every test there is, those of the contract suites among them."""
    paths = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "src" / "assent" / "testing").rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    functions = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {name for name in functions if name.startswith("test_")}


def test_there_are_models():
    """The search below looks at something."""
    assert MODELS


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_each_promise_says_all_four_things(model):
    """What a model is given, what it returns, how it forgets and what it does not promise."""
    promise = (model / "promise.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", promise, re.MULTILINE)
    assert [heading for heading in HEADINGS if heading not in headings] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_each_promise_names_tests_that_exist(model):
    """A promise without a test that holds it is a wish."""
    named = set(re.findall(r"\btest_\w+", (model / "promise.md").read_text(encoding="utf-8")))
    named -= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named
    assert not named - every_test()
