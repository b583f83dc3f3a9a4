"""The README's transcript: the demo is run, and the parts that tell the story are kept."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

#: The scenes that are shown, by the number the demo gives them, and how many lines of each.
SCENES = {1: 11, 2: 3, 4: 10, 5: 7, 6: 7, 9: 10, 10: 8}
ELISION = "..."


def demo() -> str:
    """Run the demo in a folder of its own and return what it prints."""
    command = [str(Path(sys.executable).with_name("assent")), "demo", "--once"]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603


def transcript(printed: str) -> str:
    """Return the chosen scenes of what the demo printed, each cut after its lines; what was left out shows as dots."""
    scenes = re.split(r"\n\n(?=\d+  \S)", printed)[1:]
    kept = []
    for scene in scenes:
        lines = [line.rstrip() for line in scene.strip().splitlines()]
        shown = SCENES.get(int(scene.split(maxsplit=1)[0]), 0)
        if shown:
            kept.append("\n".join(lines[:shown] + [ELISION] * (len(lines) > shown)))
    return "\n\n".join(kept)


def told_again(readme: str, printed: str) -> str:
    """Return the README with its transcript made anew."""
    return re.sub(
        r"(?<=^```text\n).*?(?=^```$)", lambda _: transcript(printed) + "\n", readme, flags=re.MULTILINE | re.DOTALL
    )


def plain(text: str) -> list[str]:
    """Return the lines that say something, without figures, digests, and the spaces that align them."""
    lines = (
        re.sub(r"\b[0-9a-f]{16}\b|\d[\d.,]*(?: m?s\b)?", "N", " ".join(line.split())) for line in text.splitlines()
    )
    return [line for line in lines if line]
