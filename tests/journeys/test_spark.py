"""Spark from the command line: on this machine, and on a standalone cluster that loses a worker in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent import Engine
from assent.learn.spark.cluster import DRIVER_BYTES
from assent.terms.settings import Settings
from assent.testing.shops import crowd
from tests.journeys.sparks import CONFIG, ENVIRONMENT, require_spark
from tests.processes import free_port

PEOPLE = 40
WAIT_SECONDS = 240
JAVA_OPTIONS = CONFIG["spark.driver.extraJavaOptions"]


@pytest.fixture
def shop(tmp_path: Path, clock) -> Path:
    """Make a shop whose crowd agreed, not trained yet; return its database."""
    require_spark()
    clock.at_ms = time.time_ns() // 1_000_000
    with Engine.open(str(tmp_path / "shop.db"), clock=clock, settings=Settings()) as engine:
        crowd(engine, clock, people=PEOPLE)
    return tmp_path / "shop.db"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of every process here: loopback alone, small and quick to start."""
    (tmp_path / "conf").mkdir()
    settings = {
        **{name: value for name, value in CONFIG.items() if name not in {"spark.driver.host", "spark.log.level"}},
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": JAVA_OPTIONS,
    }
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    (tmp_path / "conf" / "spark-defaults.conf").write_text(lines)
    return {
        **os.environ,
        **ENVIRONMENT,
        "SPARK_CONF_DIR": str(tmp_path / "conf"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": JAVA_OPTIONS,
    }


#: The command, with another word on how many bytes the driver adds up by itself, and on a machine too small to solve.
PROGRAM = """
import sys, types
from assent.cli.app import main
from assent.learn.spark import cluster, driver
from assent.models.recommender import solver
cluster.DRIVER_BYTES = int(sys.argv.pop(1))
solver._DENSE_ITEMS = 0
driver.os = types.SimpleNamespace(cpu_count=lambda: 1)
main()
"""


def train(
    shop: Path, master: str, environment: dict[str, str], driver_bytes: int = DRIVER_BYTES
) -> subprocess.Popen[str]:
    """Start the command."""
    program = ["-m", "assent.cli"] if driver_bytes == DRIVER_BYTES else ["-c", PROGRAM, str(driver_bytes)]
    command = [sys.executable, *program, "train", "--spark", master, "--store", f"sqlite:///{shop}", "--json"]
    return subprocess.Popen(
        command, env=environment, cwd=shop.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def report_of(started: subprocess.Popen[str]) -> dict[str, object]:
    """Wait for the command and read its report; whatever else it said is in the failure."""
    told, errors = started.communicate(timeout=WAIT_SECONDS)
    assert started.returncode == 0, told + errors
    return json.loads(told)


def check_against_local(shop: Path, report: dict[str, object]) -> None:
    """Hold the report against adding everybody up here, and against the contributions that were kept."""
    with Engine.open(str(shop), settings=Settings()) as engine:
        assert engine.verify(rebuild=True).holds
        local = engine.train(rebuild=True)
    assert (report["digest"], report["people"], report["added"]) == (local.digest, PEOPLE, PEOPLE)
    assert local.added == 0


def test_the_command_trains_on_this_machine(shop: Path, environment):
    """`assent train --spark local[2]` needs nothing else: its executors learn where the key file is from it."""
    environment.pop("ASSENT_KEY_FILE", None)
    check_against_local(shop, report_of(train(shop, "local[2]", environment)))


class Cluster:
    """A standalone master and two workers of one core each, on loopback; each worker and what it starts is a group."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        import pyspark

        self.folder = folder
        self.environment = {**environment, "SPARK_HOME": str(Path(pyspark.__file__).parent)}
        self.started: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        self._start("master", "master.Master", "--host", "127.0.0.1", "--port", str(self.port), "--webui-port", "0")
        self.workers = [self._worker(name) for name in ("one", "two")]
        wait_until(lambda: self.log("master").count("Registering worker") == 2, self.log_of_all)

    def _worker(self, name: str) -> subprocess.Popen[bytes]:
        (self.folder / name).mkdir()
        size = ("--cores", "1", "--memory", "600m", "--webui-port", "0", "--host", "127.0.0.1")
        return self._start(name, "worker.Worker", *size, "--work-dir", str(self.folder / name / "work"), self.url)

    def _start(self, name: str, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [f"{self.environment['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{kind}", *arguments]
        environment = {**self.environment, "SPARK_LOCAL_DIRS": str(self.folder / name)}
        with (self.folder / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.started.append(started)
        return started

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def log_of_all(self) -> str:
        return "\n".join(self.log(name) for name in ("master", "one", "two"))

    def worker_with_results(self) -> subprocess.Popen[bytes] | None:
        """Return a worker that has finished a part and holds its pieces, if there is one by now."""
        for name, worker in zip(("one", "two"), self.workers, strict=True):
            if any((self.folder / name).rglob("shuffle_*.data")):
                return worker
        return None

    def stop(self) -> None:
        for each in self.started:
            kill(each)


def kill(started: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, without warning."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def wait_until(holds, told) -> None:
    """Look again and again until something holds."""
    give_up = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < give_up, told()
        time.sleep(0.02)


@pytest.fixture
def cluster(tmp_path: Path, shop: Path, environment) -> Iterator[Cluster]:
    """Start the cluster; its workers know where the key file is, the command does not tell them."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Cluster(folder, {**environment, "ASSENT_KEY_FILE": str(shop.with_suffix(".key"))})
    yield started
    started.stop()


@pytest.mark.parametrize("driver_bytes", [DRIVER_BYTES, 0], ids=["finished by the driver", "by executors"])
def test_a_worker_that_dies_in_the_middle_changes_nothing(cluster: Cluster, shop: Path, environment, driver_bytes):
    """One of two workers is killed once it holds results: they are made again, and the digest is the local one."""
    training = train(shop, cluster.url, environment, driver_bytes)
    try:
        wait_until(lambda: cluster.worker_with_results() or training.poll() is not None, cluster.log_of_all)
        dying = cluster.worker_with_results()
        assert dying is not None, training.communicate()
        kill(dying)
        assert training.poll() is None
        check_against_local(shop, report_of(training))
    finally:
        training.kill()
        training.communicate()
