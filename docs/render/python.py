"""The page of the Python API, made from docstrings and signatures."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import assent
from assent import Engine, Recommender
from assent.engine import capabilities
from docs.render.markdown import code, page, prose, section, table


def api() -> str:
    """Return the page of the Python API."""
    return page(
        "Python",
        """
        Everything below is imported from `assent`. Ten acts stand on the engine itself; every other one is
        `engine.<noun>.<verb>`, with the same nouns as HTTP and the command line. Errors are exceptions of one tree,
        [listed with what to do](errors.md); answers are frozen dataclasses.
        """,
        [
            _of_class(Engine, "Engine"),
            *(_of_class(kind, f"engine.{noun}") for noun, kind in _nouns()),
            _of_class(Recommender, "Recommender"),
            section("Settings", "`Engine.open(settings=Settings(...))`; see [settings](settings.md)."),
            section("Answers", "What the acts return: the same values that HTTP and `--json` tell."),
            *(_of_answer(name) for name in capabilities.__all__),
        ],
    )


def _nouns() -> Iterator[tuple[str, type[Any]]]:
    """Yield each capability's noun with the class of its acts, in the order of the one list."""
    source = inspect.getsource(capabilities.Capabilities)
    for noun, module, name in re.findall(r"self\.(\w+): Final = (\w+)\.(\w+)\(", source):
        yield noun, getattr(getattr(capabilities, module), name)


def _of_class(kind: type[Any], title: str) -> str:
    """Describe a class: its own words, then each of its public methods."""
    parts = [f"## `{title}`", _words(kind)]
    for name, member in vars(kind).items():
        if not name.startswith("_") and callable(getattr(kind, name)):
            parts += [f"### `{title}.{name}`", f"```python\n{name}{_signature(kind, name)}\n```", _words(member)]
        elif isinstance(member, property) and not name.startswith("_"):
            parts += [f"### `{title}.{name}`", _words(member)]
    return "\n\n".join(parts)


def _of_answer(name: str) -> str:
    kind = getattr(assent, name)
    rows = [(code(field.name), code(_type(field.type))) for field in dataclasses.fields(kind)]
    return f"### `{name}`\n\n{_words(kind)}\n\n" + table(("Field", "Type"), rows)


def _signature(kind: type[Any], name: str) -> str:
    """Return a method's signature without `self`, its types as they stand in the source, one argument a line."""
    function = inspect.unwrap(getattr(kind, name))
    signature = inspect.signature(function)
    shown = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature.replace(parameters=shown))).replace("'", '"')
    text = re.sub(r"<function (\w+) at \w+>", r"\1", text)
    return text if len(text) < 100 else re.sub(r", (?=[*\w]+(?::|,|\)))", ",\n    ", text)


def _words(described: object) -> str:
    """Return a docstring as paragraphs of a page."""
    return prose(inspect.getdoc(described) or "")


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else str(get_type_hints(annotation))
