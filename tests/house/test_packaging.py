"""The package: it asks for what it imports and nothing else, the lock holds all of it, and data files ship."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


#: Other recommenders that `assent bench recommend` compares with where they are installed.
PEERS = {"implicit", "sansa"}


def names(requirements: list[str]) -> set[str]:
    """Return the plain names of requirements."""
    return {re.match(r"[\w.-]+", each)[0].lower().replace("_", "-") for each in requirements}


def imported() -> set[str]:
    """Return the distributions that the package's modules import."""
    roots = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                roots.add(node.module.partition(".")[0])
    known = packages_distributions()
    outside = roots - sys.stdlib_module_names - {"assent"}
    return {name.lower().replace("_", "-") for root in outside for name in known.get(root, [root])}


def test_it_asks_for_what_it_imports():
    """A fresh installation has every package that a room imports, and no package that none does."""
    extras = PROJECT["optional-dependencies"]
    optional = names(extras["postgres"] + extras["spark"] + extras["testing"]) | PEERS
    assert imported() - optional == names(PROJECT["dependencies"])


@pytest.mark.parametrize("extra", ["dev", "postgres"])
def test_the_lock_holds_everything(extra):
    """What `make setup` installs covers the package, its extra and nothing by range."""
    locked = set(re.findall(r"^([\w.-]+)==\S+ \\$", LOCK, re.MULTILINE))
    assert names(PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]) <= locked


def test_the_lock_is_hashed():
    """Every pinned package has its hashes, and no line names a place to fetch from."""
    pins = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(pins) > 50
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in LOCK
    assert not re.search(r"^--", LOCK, re.MULTILINE)


def test_the_package_is_typed():
    """Callers' type checkers read our annotations."""
    assert (ROOT / "src" / "assent" / "py.typed").exists()
