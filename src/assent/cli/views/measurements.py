"""The measurements that a checkout of the source carries: found, listed, and run by name."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assent.cli.screen import Screen
from assent.terms.errors import AssentError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Run in a process of its own, so that one measurement's memory is not another's.
_RUN = "import importlib, json, sys; print(json.dumps(importlib.import_module('bench.' + sys.argv[1]).rows()))"


def run_checkout(screen: Screen, names: Sequence[str]) -> bool:
    """Run measurements by name, or list them without one; tell whether every target was met.

    Raises `NotFound` outside a checkout or for an unknown name, `AssentError` for one that breaks.
    """
    folder = bench_folder()
    if not names:
        _list(screen, folder)
        return True
    rows = [row for name in names for row in _run(screen, folder, name)]
    if screen.as_json:
        screen.data(rows)
    else:
        told = [("ok" if row["ok"] else "MISSED", row["what"], row["target"], row["measured"]) for row in rows]
        screen.table(("", "What", "Target", "Measured"), told)
    return all(row["ok"] for row in rows)


def bench_folder() -> Path:
    """Find the measurements: beside the package's source, or in the folder that the command runs in."""
    for root in (Path(__file__).parents[4], Path.cwd()):
        if (root / "bench").is_dir() and (root / "pyproject.toml").is_file():
            return root / "bench"
    message = "The measurements are not here; they come with the source, not with the installed package."
    raise NotFound(message, advice="Clone the source, install it with `make setup`, and run this in its folder.")


def available(folder: Path) -> dict[str, str]:
    """Return each measurement's name with the first line of its docstring."""
    told = {}
    for path in sorted(folder.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "rows" for node in tree.body):
            told[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return told


def _list(screen: Screen, folder: Path) -> None:
    names = available(folder)
    if screen.as_json:
        screen.data(names)
    else:
        screen.table(("Name", "What it measures"), list(names.items()))


def _run(screen: Screen, folder: Path, name: str) -> Sequence[dict[str, Any]]:
    """Run one measurement in a process of its own and return its rows."""
    if name not in available(folder):
        message = f"No measurement is called '{name[:64]}'."
        raise NotFound(message, advice="`assent bench` lists them.")
    with screen.busy(f"Measuring {name}"):
        done = subprocess.run(  # noqa: S603 - our own interpreter and a name from the list
            [sys.executable, "-c", _RUN, name], cwd=folder.parent, stdout=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        message = f"The measurement '{name}' did not finish."
        raise AssentError(message, advice="What it says above tells why.")
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows
