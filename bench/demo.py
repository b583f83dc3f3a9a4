"""The demo and the Online Retail import, as a newcomer runs them: whole commands, each in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.retail import ONLINE_RETAIL
from bench.table import Row, show

ROOT = Path(__file__).resolve().parents[1]
SECONDS_DEMO_MAX, SECONDS_IMPORT_MAX, SECONDS_TRAIN_MAX = 60.0, 30.0, 6.0
MEMORY_MB_MAX = 1_000.0


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that ran: its answer, its wall time in seconds, and its peak memory in MB."""

    answer: dict[str, Any]
    seconds: float
    peak_mb: float


def run(folder: Path, *arguments: str) -> Ran:
    """Run `assent ... --json` in a folder and wait; raises `RuntimeError` when it fails."""
    out = folder / "answer.json"
    line = [sys.executable, "-m", "assent.cli", *arguments, "--json"]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    started = perf_counter()
    with out.open("wb") as file:
        actions = [(os.POSIX_SPAWN_DUP2, file.fileno(), 1)]
        environment = {**os.environ, "PYTHONPATH": paths, "ASSENT_STORE": f"sqlite:///{folder / 'shop.db'}"}
        environment.pop("OPENBLAS_NUM_THREADS", None)  # as in a newcomer's shell
        process = os.posix_spawn(line[0], line, environment, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
    seconds = perf_counter() - started
    if status:
        raise RuntimeError(f"`assent {' '.join(arguments)}` ended with status {status}.")
    return Ran(json.loads(out.read_bytes()), seconds, usage.ru_maxrss * 1024 / 1e6)


def row(what: str, seconds_max: float, ran: Ran) -> list[Row]:
    """Return two rows of the table: a command's time and memory, each under its limit."""
    return [
        Row(
            what=f"{what}, the whole command",
            target=f"< {seconds_max:g} s",
            measured=f"{ran.seconds:.1f} s",
            ok=ran.seconds < seconds_max,
            peak_mb=ran.peak_mb,
        ),
        Row(
            what=f"{what}, peak memory",
            target=f"< {MEMORY_MB_MAX:g} MB",
            measured=f"{ran.peak_mb:.0f} MB",
            ok=ran.peak_mb < MEMORY_MB_MAX,
            peak_mb=ran.peak_mb,
        ),
    ]


def rows() -> list[Row]:
    """Measure the demo, the import and the training; the import's rows are absent where the file is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = row("demo --once", SECONDS_DEMO_MAX, run(folder, "demo", "--once"))
        return table + _online_retail(folder, ONLINE_RETAIL) if ONLINE_RETAIL.is_file() else table


def _online_retail(folder: Path, path: Path) -> list[Row]:
    run(folder, "init")
    grant = ("--grant", "personalize,learn", "--evidence", "stated for the measurement")
    imported = run(folder, "import", "online-retail", str(path), *grant)
    trained = run(folder, "train")
    lines, people = imported.answer["lines"], trained.answer["people"]
    return [
        *row(f"Online Retail import, {lines:,} lines", SECONDS_IMPORT_MAX, imported),
        *row(f"Online Retail train from sealed histories, {people:,} people", SECONDS_TRAIN_MAX, trained),
    ]


if __name__ == "__main__":
    show(rows(), "Demo and Online Retail")
