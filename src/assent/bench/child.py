"""`python -m assent.bench.child FOLDER`: fit and ask one recommender in a process of its own.

The task stands in the folder; progress and figures go to standard output as lines of JSON, lists to a file beside the
task. The process ends with its parent.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.sparse

from assent.bench.fits import FITS
from assent.bench.lists import Lists, Task
from assent.bench.peers import OURS
from assent.terms.errors import AssentError

#: People of a first call before the clock runs, so that no first call is measured.
_WARM: Final = 64
#: At most one report of progress in this time.
_SECONDS: Final = 0.5
#: After so long without news the last report is repeated, which shows that the process still runs.
_REPEAT_SECONDS: Final = 1.0


def main(folder: Path) -> None:
    """Do the task that stands in `folder`: see `runs`."""
    say, over = _speak(), threading.Event()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # peers advise on threads and formats; what matters here is in the figures
    job = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    _keep_to(job["threads"])

    def matrix(name: str) -> Any:
        return scipy.sparse.load_npz(folder / f"{name}.npz")

    task = Task(
        training=matrix("training"),
        fresh=matrix("fresh") if job["fresh"] else None,
        validation=[(matrix(f"validation{2 * k}"), matrix(f"validation{2 * k + 1}")) for k in range(job["validation"])],
        count=job["count"],
        threads=job["threads"],
        memory_bytes=job["memory_bytes"],
        settings=job["settings"],
        tune_seconds=job["tune_seconds"],
        tell=_progress_lines(say, over),
    )
    try:
        figures = measure(job["model"], task, np.load(folder / "tested.npy"), folder / "lists.npy")
        over.set()
        say({"done": figures})
    except AssentError as error:
        say({"failed": str(error)})
    except MemoryError:
        say({"failed": "It ran out of memory."})
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a peer may break in any way; the others go on
        say({"failed": f"{type(error).__name__}: {' '.join(str(error).split())}"})


def measure(model: str, task: Task, tested: np.ndarray[Any, Any], lists_path: Path) -> dict[str, Any]:
    """Fit, recommend for the rows `tested`, int64 [tested], save the lists, and return the figures."""
    task.tell("fitting", 0.0)
    began = time.perf_counter()
    lists: Lists = FITS[model](task)
    fit_seconds = time.perf_counter() - began - task.tune_took_seconds
    lists(tested[:_WARM])
    task.tell("recommending", 0.0)
    began = time.perf_counter()
    made = lists(tested)
    seconds = time.perf_counter() - began
    peak = peak_bytes()
    np.save(lists_path, np.pad(made, ((0, 0), (0, task.count - made.shape[1])), constant_values=-1))
    return {
        "fit_seconds": round(fit_seconds, 6),
        "peak_mb": round(peak / 1e6, 1),
        "people_per_second": round(len(tested) / seconds, 1),
        "settings": task.settings,
        **({} if task.tune_seconds is None or model != OURS else {"tune_seconds": round(task.tune_took_seconds, 3)}),
    }


def peak_bytes() -> int:
    """Return the peak memory of this process, in bytes.

    `getrusage` may report the parent's peak instead, so on Linux it is read from `/proc`.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _speak() -> Callable[[dict[str, Any]], None]:
    """Return a writer of JSON lines to standard output; prints of libraries go to standard error."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def say(words: dict[str, Any]) -> None:
        with lock:
            own.write(json.dumps(words) + "\n")
            own.flush()

    return say


def _progress_lines(say: Callable[[dict[str, Any]], None], over: threading.Event) -> Callable[[str, float], None]:
    """Return the function that reports a stage and the share done; the last report is repeated until `over`."""
    last: dict[str, Any] = {"stage": "starting", "share": 0.0}
    sent_at = [0.0]

    def tell(stage: str, share: float) -> None:
        now, begins = time.monotonic(), stage != last["stage"]
        last.update(stage=stage, share=round(share, 4))
        if begins or now - sent_at[0] >= _SECONDS:
            sent_at[0] = now
            say(dict(last))

    def repeat() -> None:
        while not over.wait(_REPEAT_SECONDS):
            say(dict(last))

    threading.Thread(target=repeat, daemon=True).start()
    return tell


def _end_with_parent() -> None:
    """End when standard input closes: only the parent keeps it open."""
    sys.stdin.buffer.read()
    os._exit(1)


def _keep_to(threads: int) -> None:
    """Use as many cores as threads, even where a library starts threads of its own."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
