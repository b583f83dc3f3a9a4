"""The picture of the rooms: floors as rows, rooms as boxes, from the layers that the import contracts hold."""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]

WIDTH, MARGIN, GAP = 960, 16, 10
#: A box: the room's name on the first line, its sentence below.
HEAD, LINE, PAD = 24, 15, 10
#: How wide a letter of the sentence is on average, in the font below.
LETTER = 6.1

#: Colors of paper and ink; those who read in the dark get their own.
STYLE = """
  .paper { fill: #ffffff } .box { fill: #f3f6f4; stroke: #4a6b5d } .name { fill: #14352a } .said { fill: #3a4843 }
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 11.5px }
  .name { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14191a } .box { fill: #1f2a27; stroke: #7fb09b } .name { fill: #dff3ea } .said { fill: #b9c8c1 }
  }"""


def floors() -> list[list[str]]:
    """Return the rooms of each floor, the highest first."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [each for each in told["tool"]["importlinter"]["contracts"] if each["id"] == "floors"]
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]


def sentence(room: str) -> str:
    """Return the first sentence of a room's docstring."""
    source = (ROOT / "src" / "assent" / room / "__init__.py").read_text(encoding="utf-8")
    opening = " ".join((ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0].split())
    return opening.partition(". ")[0].rstrip(".").replace("`", "") + "."


def picture() -> str:
    """Return the picture as SVG."""
    rows, top = [], MARGIN
    for rooms in floors():
        height, boxes = _floor(rooms, top)
        rows += boxes
        top += height + GAP
    title = "The rooms of assent: a room imports only rooms on lower floors"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + MARGIN - GAP}" role="img">',
            f"<!-- Made from the code by `make docs`; change the code, not this picture. --><title>{title}</title>",
            f"<style>{STYLE}\n</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            *rows,
            "</svg>\n",
        ]
    )


def _floor(rooms: Sequence[str], top: int) -> tuple[int, list[str]]:
    """Return how high a floor is, and its boxes side by side, `top` being its upper edge."""
    width = (WIDTH - 2 * MARGIN - GAP * (len(rooms) - 1)) // len(rooms)
    told = {room: textwrap.wrap(sentence(room), int((width - 2 * PAD) / LETTER)) for room in rooms}
    height = HEAD + PAD + LINE * max(map(len, told.values()))
    boxes: list[str] = []
    for place, (room, lines) in enumerate(told.items()):
        boxes += _box(room, lines, (MARGIN + place * (width + GAP), top), (width, height))
    return height, boxes


def _box(room: str, lines: Sequence[str], corner: tuple[int, int], size: tuple[int, int]) -> Iterator[str]:
    left, top = corner
    yield f'<rect class="box" x="{left}" y="{top}" width="{size[0]}" height="{size[1]}" rx="6"/>'
    yield f'<text class="name" x="{left + PAD}" y="{top + HEAD - 5}">{escape(room)}</text>'
    for number, line in enumerate(lines, 1):
        baseline = top + HEAD - 5 + LINE * number
        yield f'<text class="said" x="{left + PAD}" y="{baseline}">{escape(line)}</text>'
