"""The list of decisions, made from their titles."""

from __future__ import annotations

from pathlib import Path

from docs.render.markdown import page

FOLDER = Path(__file__).parents[1] / "decisions"


def index() -> str:
    """Return the page that lists every decision."""
    titles = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in sorted(FOLDER.glob("0*.md"))}
    return page(
        "Decisions",
        """
        Why the house is built as it is: one page for each decision, with what it costs, what else was thought of, and
        the tests that hold it. A decision is not rewritten; a later one takes its place and says so.
        """,
        ["\n".join(f"- [{title.removeprefix('# ')}]({name})" for name, title in titles.items())],
    )
