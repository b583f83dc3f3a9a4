"""The list of the guide's pages, made from their titles and first sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from docs.render.markdown import page

FOLDER = Path(__file__).parents[1] / "guide"
INDEX = "README.md"
#: How the names of the pages begin that tell how to change the product; all others tell how to use it.
CHANGING = "add-a-"


def pages() -> list[Path]:
    """Return the pages on what a shop does, by name."""
    return [path for path in _all() if not path.name.startswith(CHANGING)]


def changes() -> list[Path]:
    """Return the pages that tell how to change the product, by name."""
    return [path for path in _all() if path.name.startswith(CHANGING)]


def _all() -> list[Path]:
    return [path for path in sorted(FOLDER.glob("*.md")) if path.name != INDEX]


def index() -> str:
    """Return the page that lists the guide."""
    return page(
        "Guide",
        """
        One page for each thing that a shop does: what it is for, and the same act in Python, on the command line and
        over HTTP. The tests run what is marked `python` or `bash` as it stands; what is marked `sh` is only shown. In
        the examples over HTTP the server of `assent serve` answers at `localhost:8787`, and `$SECRET` is a server key
        that `assent keys make` made.
        """,
        [
            _listed(pages()),
            "For those who change the product ([contributing](../../CONTRIBUTING.md) tells the rest):",
            _listed(changes()),
        ],
    )


def _listed(paths: Sequence[Path]) -> str:
    entries = []
    for path in paths:
        title, sentence = opening(path.read_text(encoding="utf-8"))
        entries.append(f"- [{title}]({path.name}): {sentence}")
    return "\n".join(entries)


def opening(text: str) -> tuple[str, str]:
    """Return a page's title and its first sentence."""
    title, _, rest = text.partition("\n")
    paragraph = " ".join(rest.strip().partition("\n\n")[0].split())
    return title.removeprefix("# "), re.split(r"(?<=\.) ", paragraph, maxsplit=1)[0]
