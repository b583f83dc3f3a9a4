"""Spark for tests: whether it can be had, one session on this machine, and the words that a driver is started with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import skip_without

#: Small and quiet: nothing listens beyond loopback, nothing is drawn, and Java spends no time on becoming fast.
CONFIG = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "OFF",
    "spark.driver.memory": "512m",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
ENVIRONMENT = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "OPENBLAS_NUM_THREADS": "1"}


def require_spark() -> None:
    """Skip the test, with the reason, where Spark cannot run; fail when `ASSENT_REQUIRE` names spark."""
    missing = [name for name in ("pyspark", "pyarrow", "pandas") if importlib.util.find_spec(name) is None]
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")
    if not missing and not (java and Path(java).exists()):
        missing = ["Java 17"]
    if missing:
        skip_without("spark", f"no Spark: {', '.join(missing)} not installed")


@contextmanager
def session(key_file: Path) -> Iterator[object]:
    """Open `local[2]`; its executors have the path `key_file` in their environment."""
    require_spark()
    folder = tempfile.mkdtemp(prefix="assent-spark-")
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT, ASSENT_KEY_FILE=str(key_file))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what pyspark says about its own dependencies
            from pyspark.sql import SparkSession

            builder = SparkSession.builder.master("local[2]").config("spark.local.dir", folder)
            for name, value in CONFIG.items():
                builder = builder.config(name, value)
            opened = builder.getOrCreate()
        # Only Java, and what it starts, is to know the key file.
        del os.environ["ASSENT_KEY_FILE"]
        yield opened
        opened.stop()
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)
