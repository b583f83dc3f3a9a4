"""Sentences for people: every code has one in every language, with the same places, and none stays in an inner room."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.terms import errors
from assent.terms.errors import AssentError
from assent.terms.refusals import CODES
from assent.terms.sentences import DEFAULT, LANGUAGES, nearest, sentence, sentences

SOURCE = Path(__file__).parents[2] / "src" / "assent"
INNER = ("decide", "consent", "intake", "learn", "rights")
#: Calls that speak to the operator: a model file that is refused is told to the log.
ALLOWED = {"_log", "refuse"}
#: Part of a signed receipt, which stays the same for the same entry.
SIGNED = {"As stated in the notice."}
ERRORS = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, AssentError)}


def places(words: str) -> set[str]:
    """Return the names of the places of a sentence."""
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence_and_every_sentence_a_code(language: str):
    """The tables of a language are those of the codes, no more and no less."""
    codes = {f"{table}.{code}" for table, rows in CODES.items() for code in rows}
    assert sentences(language).keys() == codes
    assert all(words.strip() == words and words for words in sentences(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_places(language: str):
    """What is put into a sentence in one language is put into it in each."""
    assert {code: places(words) for code, words in sentences(language).items()} == {
        code: places(words) for code, words in sentences(DEFAULT).items()
    }


def test_no_language_is_a_copy_of_another():
    """A sentence that ends with a full stop is another one in another language."""
    english, german = sentences("en"), sentences("de")
    assert [code for code, words in english.items() if words.endswith(".") and german[code] == words] == []


def test_numbers_are_written_as_the_language_writes_them():
    """Thousands have a comma in English and a point in German."""
    assert "1,234,567 people" in sentence("used.others", "en", people=1_234_567)
    assert "1.234.567 Menschen" in sentence("used.others", "de", people=1_234_567)


@pytest.mark.parametrize(
    ("tag", "known"), [("de", "de"), ("de-AT", "de"), ("DE_ch", "de"), (" en-GB", "en"), ("fr", None), ("", None)]
)
def test_the_nearest_language_is_that_of_the_tag(tag: str, known: str | None):
    """A region does not matter, and a language without sentences is none."""
    assert nearest(tag) == known


def test_a_language_or_code_that_is_not_there_is_an_error():
    """A loader that guessed would show people the wrong words."""
    with pytest.raises(KeyError):
        sentence("refusal.gpc", "fr")
    with pytest.raises(KeyError):
        sentence("refusal.nothing")


# -- none in the inner rooms ---------------------------------------------------------------------------------------


def said_in(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the sentences of a module that are no docstring, error, advice or line of the log."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if is_sentence(node) and not any(is_for_operators(each) for each in ancestors(node, above)):
            yield node


def is_sentence(node: ast.AST) -> bool:
    """Tell whether a literal has four words or more and ends with a full stop."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return text.rstrip().endswith(".") and len(text.split()) >= 4 and text not in SIGNED


def ancestors(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    """Yield what a literal stands in, up to its statement."""
    while not isinstance(node, ast.stmt):
        node = above[node]
        yield node


def is_for_operators(node: ast.AST) -> bool:
    """Tell whether a node is a docstring, an error's message or advice, or a call of the log."""
    match node:
        case ast.Raise() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in {"message", "advice"}
        case ast.Call():
            return bool((ERRORS | ALLOWED) & {*ast.unparse(node.func).split(".")})
    return False


@pytest.mark.parametrize("room", INNER)
def test_no_sentence_for_people_stays_in_an_inner_room(room: str):
    """Inner rooms hand out codes; the files of languages have the words."""
    found = [
        f"{path.relative_to(SOURCE)}:{each.lineno} {each.value}"
        for path in sorted((SOURCE / room).rglob("*.py"))
        if (SOURCE / "intake" / "files") not in path.parents and (SOURCE / "learn" / "spark") not in path.parents
        for each in said_in(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_a_sentence_in_an_inner_room_would_be_found():
    """The search sees tables, arguments and returned texts, and passes over what is for operators."""
    code = '''"""A docstring that says something long."""
WORDS = {"a": "This is said to people."}
def f(): return g("This is said to people.")
def h():
    message = "This is an error for callers."
    raise InvalidInput(message, advice="Do this and then do that.")
'''
    assert [each.lineno for each in said_in(ast.parse(code))] == [2, 3]
