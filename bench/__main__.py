"""Run the measurements: `python -m bench` runs all, `python -m bench NAME ...` some; ends with 1 when one is missed.

A measurement is a module of this folder with `rows() -> list[Row]`. Each runs in a process of its own, so that the
memory and the threads of one are not those of another.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Row, show

FOLDER = Path(__file__).parent
#: Writes a module's rows to a file, so that its prints stay visible while it works.
MEASURE = """
import importlib, json, pathlib, sys
rows = importlib.import_module("bench." + sys.argv[1]).rows()
pathlib.Path(sys.argv[2]).write_text(json.dumps(list(rows)), encoding="utf-8")
"""


def measurements() -> list[str]:
    """Return the names of the modules here that have `rows`, in order."""
    return [path.stem for path in sorted(FOLDER.glob("[!_]*.py")) if "\ndef rows(" in path.read_text(encoding="utf-8")]


def measure(name: str) -> list[Row]:
    """Run one measurement in a process of its own; one that breaks is a row that is missed."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "rows.json")
        done = subprocess.run([sys.executable, "-c", MEASURE, name, str(answer)], cwd=FOLDER.parent, check=False)
        if done.returncode:
            return [Row(what=name, target="ends", measured=f"broke with exit code {done.returncode}", ok=False)]
        rows: list[Row] = json.loads(answer.read_text(encoding="utf-8"))
        return rows


def machine() -> str:
    """Name the machine that the figures are from."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}"


def main(names: list[str]) -> int:
    """Run what was named, or everything, and print one table; return the exit code."""
    available = measurements()
    unknown = [name for name in names if name not in available]
    if unknown:
        print(f"No measurement is called {', '.join(unknown)}. There are: {', '.join(available)}.", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or available:
        began = time.perf_counter()
        print(f"{name} ...", flush=True)
        rows += measure(name)
        print(f"{name} took {time.perf_counter() - began:.0f} s", flush=True)
    show(rows, machine())
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
