"""The folder of the demo: made anew each time, or a temporary one; it never touches a folder of others."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assent.terms.errors import Conflict

FOLDER = Path("demo-shop")
#: Marks a folder as the demo's own, which may be made anew.
MARK = ".made-by-assent-demo"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The folder of the demo's shop, with its store and its key file."""

    path: Path

    @property
    def store(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.path / 'shop.db'}"

    @property
    def keys(self) -> Path:
        """The key file."""
        return self.path / "shop.key"

    def times_found(self, name: str) -> int:
        """Count how often a name stands readable, as a word of its own, anywhere in the files."""
        word = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(name.encode()) + rb"(?![0-9A-Za-z])")
        return sum(len(word.findall(file.read_bytes())) for file in self.path.rglob("*") if file.is_file())


@contextmanager
def demo_folder(*, once: bool) -> Iterator[DemoFolder]:
    """Give an empty folder: with `once` a temporary one that is removed at the end, else `FOLDER` made anew.

    Raises `Conflict` when a folder of that name stands here that the demo did not make.
    """
    if once:
        with tempfile.TemporaryDirectory(prefix="assent-demo-") as temporary:
            yield DemoFolder(Path(temporary))
        return
    if FOLDER.exists() and not (FOLDER / MARK).exists():
        raise Conflict(
            f"The folder {FOLDER} is here already, and the demo did not make it.",
            advice="Move it away, or run the demo in another folder.",
        )
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    (FOLDER / MARK).write_text("`assent demo` makes this folder anew every time.\n", encoding="utf-8")
    yield DemoFolder(FOLDER)
