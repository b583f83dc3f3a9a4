"""The pages: those made from the code say what it says, links lead somewhere, and decisions have their parts."""

import re
from pathlib import Path

import pytest

from assent.terms.settings import Settings
from docs.build import DOCS, PAGES
from docs.render import vocabulary

ROOT = DOCS.parent
WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "src").rglob("*.md"))]
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as the common renderers make them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_each_made_page_says_what_the_code_says(name):
    """`make docs` would change nothing."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_leads_somewhere(path):
    """Links between pages name files and headings that exist."""
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_each_page_is_within_reach_of_the_readme():
    """Nothing is written that a reader of the README cannot come upon."""
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        links = [link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
        waiting += [(path.parent / link).resolve() for link in links if link.endswith(".md")]
    assert not {path.relative_to(ROOT) for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")] if path not in reached}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_each_decision_has_its_parts(path):
    """Context, decision, consequences, alternatives, and what holds it."""
    page = path.read_text(encoding="utf-8")
    assert page.startswith(f"# {path.stem[:4]} ")
    parts = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Alternatives", "Held by"]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_what_holds_a_decision_exists(path):
    """The tests that a decision names are there."""
    held = path.read_text(encoding="utf-8").partition("## Held by")[2]
    named = re.findall(r"`(tests/[\w/.]+)`", held)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_setting_is_explained():
    """A setting that nobody explains is a setting that nobody dares to change."""
    said = vocabulary.said_of_settings()
    assert [name for name in Settings.__dataclass_fields__ if not said.get(name)] == []
