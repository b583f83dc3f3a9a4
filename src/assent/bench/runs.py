"""The runs of a comparison: each recommender in a process of its own, one after another, with a row of figures."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.sparse

from assent.bench.peers import OURS, PEERS, Setting
from assent.bench.splits import Split
from assent.models.metrics import recall_and_ndcg
from assent.models.recommender.memory import available_bytes

#: Called with the model's name, its stage and the share of it that is done.
Progress = Callable[[str, str, float], None]
_NOTE_CHARS: Final = 300
_THREAD_NAMES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A plan of measurements: models, length of lists, threads, and the settings given by hand."""

    models: Sequence[str]
    count: int = 20
    threads: int = 1
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    #: Seconds that our own model may tune its settings; `None` keeps the defaults.
    tune_seconds: float | None = None


def run(split: Split, plan: RunPlan, tell: Progress) -> Iterator[dict[str, Any]]:
    """Yield one row for each model as soon as it is measured; a model that fails gives a row with a note."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as name:
        folder = Path(name)
        scipy.sparse.save_npz(folder / "training.npz", split.training, compressed=False)
        if split.fresh is not None:
            scipy.sparse.save_npz(folder / "fresh.npz", split.fresh, compressed=False)
        for number, part in enumerate(itertools.chain.from_iterable(split.validation)):
            scipy.sparse.save_npz(folder / f"validation{number}.npz", part, compressed=False)
        np.save(folder / "tested.npy", split.tested)
        for model in plan.models:
            tell(model, "starting", 0.0)
            yield _row(folder, split, plan, model, tell)


def row_of(model: str, count: int, figures: Mapping[str, Any], note: str | None) -> dict[str, Any]:
    """Return a row with every key, null where there is no figure."""
    row = dict.fromkeys((f"recall@{count}", f"ndcg@{count}", "fit_seconds", "peak_mb", "people_per_second"))
    return {"model": model, **row, **figures, "note": note}


def _row(folder: Path, split: Split, plan: RunPlan, model: str, tell: Progress) -> dict[str, Any]:
    if model != OURS and not PEERS[model].installed:
        return row_of(model, plan.count, {}, "not installed")
    defaults = {} if model == OURS else PEERS[model].settings
    task = {
        "model": model,
        "fresh": split.fresh is not None,
        "validation": len(split.validation),
        "count": plan.count,
        "threads": plan.threads,
        "memory_bytes": available_bytes(),
        "settings": {**defaults, **plan.settings.get(model, {})},
        "tune_seconds": plan.tune_seconds,
    }
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    lists = folder / "lists.npy"
    lists.unlink(missing_ok=True)
    answer = _ask(folder, model, plan.threads, tell)
    if "done" not in answer:
        return row_of(model, plan.count, {}, f"failed: {answer['failed']}"[:_NOTE_CHARS])
    recall, ndcg = recall_and_ndcg(np.load(lists), split.wanted, split.sizes)
    figures = {f"recall@{plan.count}": round(recall, 6), f"ndcg@{plan.count}": round(ndcg, 6), **answer["done"]}
    return row_of(model, plan.count, figures, None)


def _ask(folder: Path, model: str, threads: int, tell: Progress) -> dict[str, Any]:
    """Start the child, pass on its progress, and return its last line."""
    own_threads = model in PEERS and PEERS[model].own_threads
    limits = dict.fromkeys(_THREAD_NAMES, str(threads))
    if own_threads:
        limits |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    answer: dict[str, Any] = {}
    with (folder / "errors.txt").open("w+b") as errors:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", "assent.bench.child", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **limits},
        )
        try:
            for line in child.stdout or ():
                line_said = json.loads(line)
                if "stage" in line_said:
                    tell(model, line_said["stage"], line_said["share"])
                else:
                    answer = line_said
            code = child.wait()
        finally:
            child.kill()
            child.communicate()
        errors.seek(0)
        last = errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
    return answer or {"failed": _ended(code, last)}


def _ended(code: int, last: str) -> str:
    """Return the words for a process that ended without an answer."""
    if code == -signal.SIGKILL:
        return "the system ended it, most likely because memory ran out"
    if code < 0:
        return f"it ended by signal {-code}. {last}"
    return f"it ended with exit code {code}. {last}"
