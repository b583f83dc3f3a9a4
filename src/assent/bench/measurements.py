"""The measurements that a checkout of the source carries: found, listed, and run by name."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from assent.terms.errors import AssentError, NotFound

#: Run in a process of its own, so that one measurement's memory is not another's.
_RUN = "import importlib, json, sys; print(json.dumps(importlib.import_module('bench.' + sys.argv[1]).rows()))"


def bench_folder() -> Path:
    """Return the folder of measurements, beside the package or right here; raises `NotFound` when there is none."""
    for root in (Path(__file__).parents[3], Path.cwd()):
        if (root / "bench").is_dir() and (root / "pyproject.toml").is_file():
            return root / "bench"
    raise NotFound(
        "There are no measurements here; they are part of the source, not of the installed package.",
        advice="Clone the source, install it with `make setup`, and run this in its folder.",
    )


def available(folder: Path) -> dict[str, str]:
    """Return each measurement's name with the first line of its docstring."""
    found = {}
    for path in sorted(folder.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "rows" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def measure(folder: Path, name: str) -> list[dict[str, Any]]:
    """Run one measurement of a checkout in a process of its own and return its rows.

    Raises `NotFound` for an unknown name, `AssentError` for one that breaks.
    """
    if name not in available(folder):
        raise NotFound(f"No measurement is called '{name[:64]}'.", advice="`assent bench` lists them.")
    done = subprocess.run(  # noqa: S603 - our own interpreter and a name from the list
        [sys.executable, "-c", _RUN, name], cwd=folder.parent, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise AssentError(f"The measurement '{name}' did not finish.", advice="Read its output above.")
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows
