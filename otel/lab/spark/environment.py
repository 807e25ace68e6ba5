"""The environment of Spark, made under build/ from a lock of its own, and the job that runs in it."""

import os
import shutil
import subprocess
from pathlib import Path

from lab.same.pythons import ROOT, prepare

LOCK = ROOT / "requirements" / "spark.txt"
PATH = f"{ROOT / 'otel'}{os.pathsep}{ROOT}"
PYTHONS = ("3.13", "3.12", "3.11", "3.10")


class MissingError(Exception):
    """Java or PySpark is not here; the message says what to install."""


def interpreter() -> Path:
    """The interpreter that has PySpark, of the newest Python that is here. Raises `MissingError`."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise MissingError("Spark needs Java 17 or later (Debian: apt install openjdk-17-jre-headless)")
    for version in PYTHONS:
        try:
            python = prepare("spark", LOCK, version)
        except subprocess.CalledProcessError as error:
            raise MissingError(f"PySpark cannot be installed: {error}") from error
        if python is not None:
            return python
    raise MissingError(f"PySpark needs Python {' or '.join(PYTHONS)}")


def submit_job(python: Path, job: Path, arguments: list[str]) -> None:
    """Submit a file with two executors, each a process of its own; raises as `run_job`."""
    path = f"spark.executorEnv.PYTHONPATH={PATH}"
    cluster = ["--master", "local-cluster[2,1,1024]", "--conf", path, "--conf", "spark.ui.enabled=false"]
    (home,) = python.parents[1].glob("lib/python*/site-packages/pyspark")  # its scripts find no folder with a space
    _run(python, [home / "bin" / "spark-submit", *cluster, job, *arguments], {"SPARK_HOME": str(home)})


def run_job(python: Path, module: str, arguments: list[str], more: dict[str, str]) -> None:
    """Run a module on the loopback interface; prints Spark's log and raises CalledProcessError if it fails."""
    _run(python, [python, "-W", "ignore", "-m", module, *arguments], more)


def _run(python: Path, command: list[str | Path], more: dict[str, str]) -> None:
    env = {
        **os.environ,
        "PYTHONPATH": PATH,
        "PYSPARK_PYTHON": str(python),
        "PYSPARK_DRIVER_PYTHON": str(python),
        "SPARK_LOCAL_IP": "127.0.0.1",
        **more,
    }
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr[-8000:], sep="\n")
        done.check_returncode()
