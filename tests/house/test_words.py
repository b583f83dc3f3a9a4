"""The glossary: the words are in it, and public names hold to them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| \*\*(.+?)\*\* \| .+ \| ?(.*?) \|$", re.MULTILINE)
GLOSSARY = dict(ROW.findall((ROOT / "docs" / "words.md").read_text(encoding="utf-8")))

#: What the house cannot be spoken of without.
WORDS = {
    *("person", "event", "item", "offer", "slot", "purpose", "permit", "refusal", "contribution", "sum", "model"),
    *("decision", "reason", "message", "claim", "receipt", "ledger", "erase", "forget", "release"),
}

#: Names of the edges, which keep the field's own terms: Segment's calls and fields, and Python's and SQL's own.
EDGES = {"user_id", "userId"}
#: The module that reads another's file, column by column, under the names of its columns.
FOREIGN = "online_retail.py"


def forbidden() -> set[str]:
    return {word for others in GLOSSARY.values() for word in others.split(", ") if word}


def public_names() -> Iterator[tuple[Path, str]]:
    """Yield every public name that the package defines: modules, classes, functions, arguments, attributes."""
    for path in (ROOT / "src" / "assent").rglob("*.py"):
        if path.name == FOREIGN:
            continue
        yield path, path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield from ((path, argument.arg) for argument in ast.walk(node.args) if isinstance(argument, ast.arg))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield path, node.target.id


def words_of(name: str) -> list[str]:
    """Split `put_personKey` or `PersonKey` into its words, in lower case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def test_the_glossary_has_the_words():
    """Every word that the design speaks in is explained."""
    assert GLOSSARY.keys() >= WORDS


def test_no_word_means_two_things():
    """What one row forbids, no row teaches."""
    assert not forbidden() & GLOSSARY.keys()


def test_public_names_use_the_words():
    """No public name says `customer` for a person or `unlearn` for forget."""
    wrong = forbidden() - EDGES
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in public_names()
        if not name.startswith("_") and name not in EDGES and (wrong & {*words_of(name), name})
    }
    assert not found


def test_a_forbidden_name_would_be_found():
    """The splitting sees through capitals and underscores."""
    assert words_of("CustomerProfile") == ["customer", "profile"]
    assert words_of("delete_user") == ["delete", "user"]
    assert {"customer", "profile", "user"} <= forbidden()
