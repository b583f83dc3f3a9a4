"""Write the pages that are made from the code: `make docs`. A house test checks that they say what the code says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from docs.render import data, decisions, guide, python, rooms, surfaces, transcript, vocabulary

DOCS = Path(__file__).parent

#: Each page, and what writes it.
PAGES: Mapping[str, Callable[[], str]] = {
    "data-map.md": data.data_map,
    "rooms.svg": rooms.picture,
    "decisions/README.md": decisions.index,
    "guide/README.md": guide.index,
    "reference/purposes.md": data.purposes,
    "reference/events.md": data.events,
    "reference/errors.md": vocabulary.errors,
    "reference/limits.md": vocabulary.limits,
    "reference/settings.md": vocabulary.settings,
    "reference/python.md": python.api,
    "reference/cli.md": surfaces.commands,
    "reference/http.md": surfaces.routes,
}


def main(folders: Sequence[str] = ()) -> None:
    """Write each page that has changed, and the README's transcript; with `folders`, only the pages in these."""
    for name, render in PAGES.items():
        if not folders or name.startswith(tuple(f"{folder}/" for folder in folders)):
            write(DOCS / name, render())
    if folders:
        return
    readme = DOCS.parent / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = transcript.told_again(before, transcript.demo())
    if transcript.plain(after) != transcript.plain(before):
        write(readme, after)


def write(path: Path, text: str) -> None:
    """Write a page unless it says so already."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main(sys.argv[1:])
