"""Pages with examples: the blocks of one language, and what runs them as they stand."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 120


def blocks(page: str, language: str) -> list[str]:
    """Return a page's code blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run_python(example: str, folder: Path) -> str:
    """Run a program in a folder and return what it prints; fails when it does."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_shell(example: str, folder: Path, **variables: str) -> str:
    """Run lines of a shell in a folder and return what they print; fails when one of them does, or never ends."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", example],
        cwd=folder,
        env=os.environ | {"PATH": path} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        result, complaints = shell.communicate(timeout=SECONDS_MAX)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, result + complaints
    return result
