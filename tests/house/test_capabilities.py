"""One capability, one noun: the engine, the surfaces, the guide and the tests have a file of the same name for each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.pages import ROOT, blocks

SRC = Path("src/assent")
#: The one list of capabilities, and the class whose attributes they are.
LIST, CLASS = SRC / "engine" / "capabilities.py", "Capabilities"
#: Folders with one file a capability; one that does not exist is not looked at.
SURFACES = (SRC / "web" / "api", SRC / "cli" / "commands")
#: Files of a surface that are no capability: acts on the whole shop, which keep a flat name, and what needs no shop.
EVERYDAY = {
    SRC / "cli" / "commands": {
        "setup": "init",
        "demo": "demo",
        "models": "train",
        "proofs": "verify",
        "bench": "bench",
    },
}


def nouns(root: Path) -> list[str]:
    """Return the attributes that the class of capabilities sets, in order."""
    tree = ast.parse((root / LIST).read_text(encoding="utf-8"))
    (listed,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == CLASS]
    return [
        node.target.attr
        for node in ast.walk(listed)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute)
    ]


def files(folder: Path) -> list[Path]:
    """Return the modules of a folder, packages' own files left out."""
    return [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("__")]


def imported(root: Path, path: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports, wherever in it."""
    package = path.parent.relative_to(root / "src").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*home, *([node.module] if node.module else [])])
            yield from (f"{base}.{each.name}" for each in node.names)


def disagreements(root: Path) -> list[str]:
    """Say in one sentence each what keeps the nouns of a tree from agreeing; nothing when they do."""
    listed = nouns(root)
    return [
        *(fault for noun in listed for fault in missing(root, noun)),
        *(fault for folder in SURFACES for fault in unknown(root, folder, listed)),
        *strange(root, SRC / "engine", set(listed)),
        *(
            fault
            for folder in SURFACES
            for fault in strange(root, folder, {path.stem for path in files(root / folder)})
        ),
    ]


def missing(root: Path, noun: str) -> Iterator[str]:
    """Say what a capability lacks: its acts, its page with an example, its test."""
    acts = root / SRC / "engine" / f"{noun}.py"
    if not acts.exists():
        yield f"engine/{noun}.py is missing."
    else:
        tree = ast.parse(acts.read_text(encoding="utf-8"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.endswith("Acts")]
        if not f"{ast.get_docstring(tree)}".startswith(f"`engine.{noun}`: "):
            yield f"engine/{noun}.py does not begin by saying what `engine.{noun}` is."
        if len(classes) != 1 or not ast.get_docstring(classes[0]):
            yield f"engine/{noun}.py has no one class of acts with a docstring."
    page = root / "docs" / "guide" / f"{noun}.md"
    if not page.exists():
        yield f"docs/guide/{noun}.md is missing."
    else:
        text = page.read_text(encoding="utf-8")
        for language in ("python", "bash"):
            if not blocks(text, language):
                yield f"docs/guide/{noun}.md has no example in {language}."
    if not (root / "tests" / "rooms" / "engine" / f"test_{noun}.py").exists():
        yield f"tests/rooms/engine/test_{noun}.py is missing."


def unknown(root: Path, folder: Path, listed: list[str]) -> Iterator[str]:
    """Say which files of a surface are neither a capability of the engine nor an everyday act."""
    for path in files(root / folder):
        if path.stem not in {*listed, *EVERYDAY.get(folder, {})}:
            yield f"{path.relative_to(root / SRC)} is no noun of the engine."


def strange(root: Path, folder: Path, capabilities: set[str]) -> Iterator[str]:
    """Say which capability files of a folder import another one."""
    home = ".".join(folder.relative_to("src").parts)
    for path in files(root / folder):
        if path.stem not in capabilities:
            continue
        for name in imported(root, path):
            other = name.removeprefix(f"{home}.").partition(".")[0]
            if name.startswith(f"{home}.") and other in capabilities - {path.stem}:
                yield f"{path.relative_to(root / SRC)} imports {other}, another capability."


def test_the_nouns_agree():
    """Engine, surfaces, guide and tests have the same nouns, and no capability's file imports another's."""
    assert disagreements(ROOT) == []


def test_everyday_acts_are_what_their_files_offer():
    """A file that is no capability offers the flat command that it is excused for, and nothing else."""
    from importlib import import_module

    for stem, command in EVERYDAY[SRC / "cli" / "commands"].items():
        module = import_module(f"assent.cli.commands.{stem}")
        assert [each.name for each in module.COMMANDS] == [command]


@pytest.fixture
def tree(tmp_path):
    """Make a tree with two capabilities on every surface, in which everything agrees."""
    listed = "        self.goods: Final = 1\n        self.keys: Final = 2\n"
    made = {LIST: f"class Capabilities:\n    def __init__(self, rooms):\n{listed}"}
    for noun in ("goods", "keys"):
        made |= {
            SRC / "engine" / f"{noun}.py": f'"""`engine.{noun}`: some."""\nclass SomeActs:\n    """Some acts."""\n',
            SRC / "web" / "api" / f"{noun}.py": "from assent.web import http\n",
            SRC / "cli" / "commands" / f"{noun}.py": "from assent.cli.context import examples\n",
            Path("docs") / "guide" / f"{noun}.md": "```python\n```\n\n```bash\n```\n",
            Path("tests") / "rooms" / "engine" / f"test_{noun}.py": "",
        }
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert disagreements(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("docs/guide/keys.md", None, "docs/guide/keys.md is missing."),
        ("docs/guide/keys.md", "```python\n```\n", "docs/guide/keys.md has no example in bash."),
        ("tests/rooms/engine/test_goods.py", None, "tests/rooms/engine/test_goods.py is missing."),
        ("src/assent/engine/goods.py", None, "engine/goods.py is missing."),
        (
            "src/assent/engine/goods.py",
            '"""`engine.goods`: some."""\nclass SomeActs:\n    pass\n',
            "engine/goods.py has no one class of acts with a docstring.",
        ),
        (
            "src/assent/engine/goods.py",
            'class SomeActs:\n    """Some."""\n',
            "engine/goods.py does not begin by saying what `engine.goods` is.",
        ),
        (
            "src/assent/engine/goods.py",
            '"""`engine.goods`: some."""\nfrom assent.engine import keys\nclass SomeActs:\n    """Some."""\n',
            "engine/goods.py imports keys, another capability.",
        ),
        ("src/assent/web/api/wishes.py", "", "web/api/wishes.py is no noun of the engine."),
        ("src/assent/cli/commands/wishes.py", "", "cli/commands/wishes.py is no noun of the engine."),
        (
            "src/assent/cli/commands/goods.py",
            "def late():\n    from assent.cli.commands.keys import make\n",
            "cli/commands/goods.py imports keys, another capability.",
        ),
        (
            "src/assent/web/api/goods.py",
            "from . import keys\n",
            "web/api/goods.py imports keys, another capability.",
        ),
        (
            "src/assent/web/api/goods.py",
            "from .keys import make\n",
            "web/api/goods.py imports keys, another capability.",
        ),
    ],
)
def test_what_does_not_agree_is_named(tree, path, text, fault):
    """A missing file, a page without examples, a stranger, an import of another capability: each is found alone."""
    if text is None:
        (tree / path).unlink()
    else:
        (tree / path).write_text(text)
    assert disagreements(tree) == [fault]


def test_a_surface_that_is_not_there_yet_is_not_missed(tree):
    """A folder that does not exist says nothing."""
    for path in (tree / SRC / "web" / "api").iterdir():
        path.unlink()
    (tree / SRC / "web" / "api").rmdir()
    assert disagreements(tree) == []
