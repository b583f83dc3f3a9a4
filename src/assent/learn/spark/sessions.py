"""Spark sessions for a master's URL: foreseeable failures are raised at once, with advice."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from assent.terms.errors import Conflict, InvalidInput, SparkUnavailable
from assent.terms.limits import limit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PACKAGES: Final = ("pyspark", "pyarrow", "pandas")
_LOCAL: Final = re.compile(r"local(\[(\*|\d+)(,\d+)?\])?")
_STANDALONE: Final = re.compile(r"spark://([^,/\s]+:\d+)(,[^,/\s]+:\d+)*")
_MANAGED: Final = re.compile(r"yarn|k8s://\S+")
_POLL_SECONDS: Final = 0.2
#: Quiet: no page on a port, no bar on the screen.
_CONFIG: Final = {
    "spark.app.name": "assent train",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_LOCALLY: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Java only moves bytes while Python adds up: its second compiler costs the sum more time than it saves.
    # `spark.driver.extraJavaOptions` overrides this.
    "spark.driver.defaultJavaOptions": "-XX:TieredStopAtLevel=1",
}


def refuse_without_packages() -> None:
    """Raise `SparkUnavailable` unless Spark's Python packages are installed."""
    if not all(map(importlib.util.find_spec, _PACKAGES)):
        raise SparkUnavailable(
            "Training on Spark needs pyspark, pyarrow and pandas.",
            advice="Install them: pip install 'assent[spark]'; Spark needs Java 17 as well.",
        )


def is_local(master: str) -> bool:
    """Tell whether the executors of a master's URL are processes of this machine."""
    return _LOCAL.fullmatch(master) is not None


@contextmanager
def opened(master: str, local_environment: Mapping[str, str]) -> Iterator[SparkSession]:
    """Open a session on a master: `local[2]`, `spark://host:7077`, `yarn` or `k8s://...`; it is stopped at the end.

    Only the executors of a `local` master get `local_environment`: they are this machine's processes. Raises
    `InvalidInput` for a URL of another kind, `SparkUnavailable` when it cannot be reached or gives no executor,
    `Conflict` when this process has a session already.
    """
    refuse_without_packages()
    local = is_local(master)
    standalone = _STANDALONE.fullmatch(master) is not None
    if not (local or standalone or _MANAGED.fullmatch(master)):
        raise InvalidInput(
            "The master's URL is not of a kind that Spark knows.",
            advice="Use local[2], spark://HOST:PORT, yarn or k8s://HOST:PORT.",
        )
    if standalone:
        _refuse_unreachable(master)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    if SparkSession.getActiveSession() is not None:
        raise Conflict("This process has a Spark session already.", advice="Hand it over: Engine.train(spark=session).")
    builder: Any = SparkSession.builder.master(master)
    for name, value in {**_CONFIG, **(_LOCALLY if local else {})}.items():
        builder = builder.config(name, value)
    try:
        with _environment({"PYSPARK_PYTHON": sys.executable, **(local_environment if local else {})}):
            spark: SparkSession = builder.getOrCreate()
    except Exception as error:
        raise SparkUnavailable(
            f"Spark did not start ({type(error).__name__}).",
            advice="Check that Java 17 is installed (java on PATH, or JAVA_HOME) and that the master runs.",
        ) from error
    try:
        if standalone:
            _wait_for_executors(spark)
        yield spark
    finally:
        spark.stop()


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while Java starts, which passes them to its own processes."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update({name: value for name, value in more.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _refuse_unreachable(master: str) -> None:
    """Raise `SparkUnavailable` unless one of the masters accepts a connection."""
    seconds = limit("spark_connect_seconds")
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=seconds).close()
        except (OSError, OverflowError):
            continue
        return
    raise SparkUnavailable(
        f"No Spark master answers at {master} (asked for {seconds} seconds).",
        advice="Check the address, that the master runs, and that nothing blocks its port.",
    )


def _wait_for_executors(spark: SparkSession) -> None:
    """Wait until the master has given an executor; raises `SparkUnavailable` when it gives none in time."""
    seconds = limit("spark_executor_seconds")
    give_up = time.monotonic() + seconds
    status: Any = spark.sparkContext._jsc.sc()  # noqa: SLF001 - Spark has no public way in Python
    # The driver itself is counted.
    while status.getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > give_up:
            raise SparkUnavailable(
                f"The Spark master gave no executor within {seconds} seconds.",
                advice="Check that workers have free cores and memory, and that they can reach this machine.",
            )
        time.sleep(_POLL_SECONDS)
