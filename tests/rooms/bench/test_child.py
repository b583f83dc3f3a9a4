"""The child process that fits and asks one recommender."""

import os
import subprocess
import sys
import threading
import time

import numpy as np

from assent.bench import child as child_module
from assent.bench.child import peak_bytes


def test_a_child_ends_when_whoever_started_it_is_gone(tmp_path):
    """Closing its standard input ends a measurement, so that nothing large is left behind."""
    os.mkfifo(tmp_path / "task.json")
    child = subprocess.Popen(
        [sys.executable, "-m", "assent.bench.child", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    child.stdin.close()
    until = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert child.poll() == 1


def test_a_stage_of_which_nothing_is_known_is_told_again(monkeypatch):
    """Whoever watches hears of a model that says nothing of how far it is, again and again."""
    monkeypatch.setattr(child_module, "_REPEAT_SECONDS", 0.01)
    said, enough = [], threading.Event()

    def say(words):
        said.append(words)
        if len(said) == 3:
            enough.set()

    child_module._progress_lines(say, enough)("fitting", 0.25)
    assert enough.wait(timeout=60)
    assert said == [{"stage": "fitting", "share": 0.25}] * 3


def test_the_peak_is_of_this_process():
    """More than what was just held, in bytes."""
    held = np.ones(1_000_000)
    assert peak_bytes() > held.nbytes
