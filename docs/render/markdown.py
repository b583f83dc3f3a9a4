"""The few pieces that every made page is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

NOTE = "<!-- Made from the code by `make docs`; change the code, not this page. -->"


def page(title: str, opening: str, parts: Iterable[str]) -> str:
    """Return a whole page: the note, a title, an opening paragraph and its parts, a blank line between each."""
    return "\n\n".join([NOTE, f"# {title}", prose(opening), *parts]) + "\n"


def section(title: str, opening: str) -> str:
    """Return the head of a section and the paragraph it begins with."""
    return f"## {title}\n\n{prose(opening)}"


def prose(text: str) -> str:
    """Return text that was broken over lines of source as lines of a page: one paragraph, no indent."""
    return "\n".join(fill(" ".join(part.split()), width=120) for part in text.strip().split("\n\n"))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Return text as it stands in code."""
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    """Return several such, with commas between."""
    return ", ".join(map(code, texts))


def first_paragraph(docstring: str | None) -> str:
    """Return a docstring's first paragraph on one line."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split())
