"""The words: the glossary has them, and names, docstrings, errors and bounds of every room hold to the house style."""

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "assent"
ROW = re.compile(r"^\| \*\*([^|]+)\*\* \|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")
#: Each word with its meaning, the words that we do not use for it, and those that a reader may look for.
GLOSSARY = {word: (meaning, avoided.strip(), sought.strip()) for word, meaning, avoided, sought in ROW.findall(PAGE)}

#: The words without which the house cannot be described, and those of its mechanism.
WORDS = {
    *("person", "event", "item", "offer", "slot", "purpose", "permit", "refusal", "contribution", "sum", "model"),
    *("decision", "reason", "message", "claim", "receipt", "ledger", "erase", "forget", "release"),
    *("epoch", "trail", "fold", "octave", "form", "head", "blind index", "share", "contribution version"),
    *("float copy", "pending terms", "row version"),
}
#: The words of the design that no code has yet; the glossary says so.
PLANNED = {"offer", "message", "claim", "release"}
#: What people type into a search box, and the word that they must find.
SOUGHT = {
    "user": "person",
    "customer": "person",
    "recommendation": "suggestion",
    "unsubscribe": "withdraw",
    "opt-out": "withdraw",
    "delete": "erase",
    "forget me": "erase",
}

#: Names of the edges, which keep the field's own terms: Segment's fields, and the web's Content-Security-Policy.
EDGES = {"user_id", "userId", "policies"}
#: The module that reads another's file, column by column, under the names of its columns.
FOREIGN = "online_retail.py"

#: Modules whose head word is a participle, each with the reason why no noun is clearer.
PARTICIPLES = {
    "models/recommender/solved.py": "`SolvedModel` is a solve of a sum: the design's own word",
    "sums/pending.py": "`pending` is the field's word for changes that are not yet applied",
}
PARTICIPLES_MOST = 5

Check = Callable[[Path, ast.Module], Iterator[str]]
ROOMS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())

HEADLESS = re.compile(r"(What|Whatever|Whether|How|Who|Whoever|Whose)\b")
SHAPE = re.compile(r"\[\w[\w +*/x-]*(?:, ?\w[\w +*/x-]*)*,?\]|\bshape\b")
DTYPE = re.compile(r"\b(?:u?int(?:8|16|32|64)?|float(?:16|32|64)?|bool|booleans?|dtype)\b")
BOUND = re.compile(r"_MAX$|_LIMIT$|^MAX_|^LIMIT_")
#: Arguments of shapes and parsers that bound what a caller sends.
BOUNDING = {"max_length", "le", "lt", "max_num_fields"}


def findings(room: str, check: Check) -> list[str]:
    """Return what a check finds in the modules of one room, each with its module."""
    return [
        f"{path.relative_to(SOURCE)}: {found}"
        for path in sorted((SOURCE / room).rglob("*.py"))
        for found in check(path, ast.parse(path.read_text(encoding="utf-8")))
    ]


def in_each_room() -> pytest.MarkDecorator:
    """Run a check once for each room."""
    return pytest.mark.parametrize("room", ROOMS)


def public_things(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public classes and functions of a module, and the public members of these classes."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                waiting += node.body


# -- the checks ------------------------------------------------------------------------------------------------------


def avoided_words() -> set[str]:
    """Return the words that the glossary's third column says are not ours."""
    return {word for _, avoided, _ in GLOSSARY.values() for word in avoided.split(", ") if word}


def public_names(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield every public name of a module: its own, classes, functions, arguments, attributes."""
    yield path.stem
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield from (argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def words_of(name: str) -> list[str]:
    """Split `put_personKey` or `PersonKey` into its words, in lower case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def singulars(word: str) -> set[str]:
    """Return a word with what it may be the plural of."""
    return {word, word.removesuffix("s"), word.removesuffix("es"), re.sub(r"ies$", "y", word)}


def avoided_names(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the public names that use a word which the glossary avoids, in the singular or the plural."""
    avoided = avoided_words() - EDGES
    for name in public_names(path, tree) if path.name != FOREIGN else ():
        forms = {form for word in [*words_of(name), name] for form in singulars(word)}
        if not name.startswith("_") and name not in EDGES and avoided & forms:
            yield name


def participle_names(path: Path, _: ast.Module) -> Iterator[str]:
    """Yield a module's name if its head word is a participle without a written reason."""
    name = path.relative_to(SOURCE).as_posix() if path.is_relative_to(SOURCE) else path.as_posix()
    if re.search(r"(?:ing|[^e]ed)$", path.stem) and name not in PARTICIPLES:
        yield path.stem


def headless_docstrings(_: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the public things whose docstring begins with a question word in the place of a subject."""
    for node in (tree, *public_things(tree)):
        docstring = ast.get_docstring(node) or ""
        if HEADLESS.match(docstring):
            yield f"{getattr(node, 'name', 'module')}: {docstring.partition(chr(10))[0]}"


def detached_errors(_: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the lines that put an error's text into a variable right before it is raised."""
    for node in ast.walk(tree):
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            for before, last in itertools.pairwise(body) if isinstance(body, list) else ():
                if isinstance(before, ast.Assign) and isinstance(last, ast.Raise) and last.exc is not None:
                    texts = {each.id for each in before.targets if isinstance(each, ast.Name)} & {"message", "text"}
                    used = {each.id for each in ast.walk(last.exc) if isinstance(each, ast.Name)}
                    yield from (f"line {before.lineno}: {name}" for name in texts & used)


def vague_arrays(_: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the public functions on arrays whose own docstring lacks a shape or a dtype."""
    for node in public_things(tree):
        if isinstance(node, ast.ClassDef):
            continue
        annotations = [each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)]
        if any("NDArray" in ast.unparse(each) for each in (*annotations, node.returns) if each is not None):
            docstring = ast.get_docstring(node) or ""
            missing = [name for name, wanted in (("shape", SHAPE), ("dtype", DTYPE)) if not wanted.search(docstring)]
            if missing:
                yield f"{node.name} (line {node.lineno}) lacks {' and '.join(missing)}"


def loose_bounds(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the bounds that do not come from the table of limits: constants by their name, arguments by their place."""
    for node in ast.walk(tree) if path.name != "limits.py" else ():
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
            if "limit(" not in ast.unparse(node.value):
                yield from (name for name in names if name.isupper() and BOUND.search(name))
        elif isinstance(node, ast.keyword) and node.arg in BOUNDING and isinstance(node.value, ast.Constant):
            yield f"{node.arg}={node.value.value}"


# -- the glossary ----------------------------------------------------------------------------------------------------


def test_the_glossary_has_the_words():
    """Every word that the design and the mechanism need is explained."""
    assert GLOSSARY.keys() >= WORDS


def test_no_word_means_two_things():
    """A word that one row avoids is explained by no other row."""
    assert not avoided_words() & GLOSSARY.keys()


def test_words_without_code_say_so():
    """A planned word says that no code has it yet, and only a planned word does."""
    assert {word for word, (meaning, _, _) in GLOSSARY.items() if "No code has it yet." in meaning} == PLANNED


@pytest.mark.parametrize(("sought", "word"), SOUGHT.items())
def test_the_glossary_leads_from_common_words_to_ours(sought, word):
    """A reader who looks for a common word finds the row of ours."""
    assert sought in GLOSSARY[word][2].split(", ")


# -- every room ------------------------------------------------------------------------------------------------------


@in_each_room()
def test_public_names_use_the_words(room):
    """No public name says `customers` for people, `hits` for events or `unlearn` for forget."""
    assert not findings(room, avoided_names)


@in_each_room()
def test_modules_are_called_by_nouns(room):
    """The head word of a module's name is no participle: a noun says what is inside."""
    assert not findings(room, participle_names)


@in_each_room()
def test_docstrings_begin_with_a_subject(room):
    """No docstring of a module or a public thing is a clause without a subject."""
    assert not findings(room, headless_docstrings)


@in_each_room()
def test_errors_are_worded_where_they_are_raised(room):
    """An error's text stands in the call that makes it, so that a reader meets both at once."""
    assert not findings(room, detached_errors)


@in_each_room()
def test_array_functions_say_shape_and_dtype(room):
    """Each public function on arrays says by itself what it takes and returns."""
    assert not findings(room, vague_arrays)


@in_each_room()
def test_bounds_are_in_the_table_of_limits(room):
    """A bound that a caller can meet is a row of `terms/limits.py`; what is no bound is not called one."""
    assert not findings(room, loose_bounds)


def test_few_module_names_are_participles():
    """The list of exceptions is short, gives a reason for each, and names modules that exist."""
    assert len(PARTICIPLES) <= PARTICIPLES_MOST
    assert all(PARTICIPLES.values())
    assert [name for name in PARTICIPLES if not (SOURCE / name).exists()] == []


# -- each check can fail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "path", "source", "found"),
    [
        (avoided_names, "a.py", "def f(customers: int) -> None: ...", ["customers"]),
        (avoided_names, "a.py", "class UserInteractions: ...", ["UserInteractions"]),
        (avoided_names, "hits.py", "", ["hits"]),
        (avoided_names, "a.py", "def f(user_id: str) -> None: ...", []),
        (avoided_names, "a.py", "class Address: ...", []),
        (participle_names, "serving.py", "", ["serving"]),
        (participle_names, "sparse_solved.py", "", ["sparse_solved"]),
        (participle_names, "training_plan.py", "", []),
        (participle_names, "feed.py", "", []),
        (headless_docstrings, "a.py", "'What is inside.'", ["module: What is inside."]),
        (headless_docstrings, "a.py", "class A:\n    def f(self):\n        'Whether it is.'", ["f: Whether it is."]),
        (headless_docstrings, "a.py", "def _f():\n    'How it goes.'", []),
        (headless_docstrings, "a.py", "'Whole numbers.'", []),
        (detached_errors, "a.py", "message = 'no'\nraise E(message)", ["line 1: message"]),
        (detached_errors, "a.py", "if x:\n    message = 'no'\n    raise E(message, advice='a')", ["line 2: message"]),
        (detached_errors, "a.py", "raise E('no')", []),
        (vague_arrays, "a.py", "def f(x: NDArray[Any]) -> int:\n    'Go.'", ["f (line 1) lacks shape and dtype"]),
        (vague_arrays, "a.py", "def f() -> NDArray[Any]:\n    'Return int64.'", ["f (line 1) lacks shape"]),
        (vague_arrays, "a.py", "def f() -> NDArray[Any]:\n    'Return [people, items].'", ["f (line 1) lacks dtype"]),
        (vague_arrays, "a.py", "def f() -> NDArray[Any]:\n    'Return [people, items], float32.'", []),
        (vague_arrays, "a.py", "def _f() -> NDArray[Any]: ...", []),
        (loose_bounds, "a.py", "ROWS_MAX = 3", ["ROWS_MAX"]),
        (loose_bounds, "a.py", "_PROBE_LIMIT: Final = 3", ["_PROBE_LIMIT"]),
        (loose_bounds, "a.py", "_ROWS_MAX = limit('rows_max')", []),
        (loose_bounds, "a.py", "X = Meta(ge=1, max_length=64)", ["max_length=64"]),
        (loose_bounds, "a.py", "X = Meta(max_length=limit('x'))", []),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_check_can_fail(check, path, source, found):
    """A check finds what it is for, and passes over what only looks like it."""
    assert list(check(Path(path), ast.parse(source))) == found
