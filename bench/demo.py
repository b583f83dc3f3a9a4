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
        message = f"`assent {' '.join(arguments)}` ended with status {status}."
        raise RuntimeError(message)
    return Ran(json.loads(out.read_bytes()), seconds, usage.ru_maxrss / 1024)


def online_retail() -> Path | None:
    """Find the Online Retail file, or None where the shared data is absent."""
    shared = Path(os.environ.get("ASSENT_SHARED", ROOT.parent / "shared" / "data"))
    path = shared / "online-retail" / "online_retail.parquet"
    return path if path.is_file() else None


def row(what: str, limit: float, measured: float, unit: str) -> dict[str, Any]:
    """Return one row of the table: a figure that must stay under its limit."""
    ok = measured < limit
    return {"what": what, "target": f"< {limit:g} {unit}", "measured": f"{measured:.1f} {unit}", "ok": ok}


def rows() -> list[dict[str, Any]]:
    """Measure the demo, the import and the training; the import's rows are absent where the file is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shown = run(folder, "demo", "--once")
        told = [
            row("demo --once, wall", SECONDS_DEMO_MAX, shown.seconds, "s"),
            row("demo --once, peak memory", MEMORY_MB_MAX, shown.peak_mb, "MB"),
        ]
        path = online_retail()
        return told if path is None else told + _online_retail(folder, path)


def _online_retail(folder: Path, path: Path) -> list[dict[str, Any]]:
    run(folder, "init")
    grant = ("--grant", "personalize,learn", "--evidence", "stated for the measurement")
    imported = run(folder, "import", "online-retail", str(path), *grant)
    trained = run(folder, "train")
    lines, people = imported.answer["lines"], trained.answer["people"]
    return [
        row(f"Online Retail import, {lines:,} lines, wall", SECONDS_IMPORT_MAX, imported.seconds, "s"),
        row("Online Retail import, peak memory", MEMORY_MB_MAX, imported.peak_mb, "MB"),
        row(f"Online Retail train from sealed histories, {people:,} people", SECONDS_TRAIN_MAX, trained.seconds, "s"),
        row("Online Retail train, peak memory", MEMORY_MB_MAX, trained.peak_mb, "MB"),
    ]


if __name__ == "__main__":
    for each in rows():
        print(f"{'ok' if each['ok'] else 'MISSED':8}{each['what']:70}{each['target']:14}{each['measured']}")
