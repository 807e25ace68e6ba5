"""Runs pytest as its users do: on a project of its own, in a process of its own, as an editor or a pipe sees it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Under these pytest cuts nothing; and what the suite itself is told is not for the inner one.
NOT_FOR_IT = ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "FORCE_COLOR", "NO_COLOR", "PY_COLORS",
              "PYTHONPATH", "VIRTUAL_ENV")  # fmt: skip
# As most have it: the other plugins are installed here for their own tests alone.
ALONE = ("-p", "no:pytest_opentelemetry", "-p", "no:inline_snapshot", "-p", "no:asyncio", "-p", "no:xdist")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status of pytest, and all that it printed."""

    status: int
    text: str

    def tree(self, test: str) -> str:
        """What stands in the section of a failed test's tree, else in its error, else all that is printed of it."""
        tail = self.text.split(f"_ {test} _", 1)[1].split("\n", 1)[1]
        mine = tail.split("\n____", 1)[0].split("\n====", 1)[0]
        _, section, tree = mine.partition(" span tree ")
        if section:
            mine = tree.split("\n", 1)[1]
        elif "\nE   " in mine:
            mine = "\n".join(line[4:].rstrip() for line in mine.splitlines() if line.startswith("E   "))
        if mine.startswith("[gw"):
            mine = mine.split("\n", 1)[1]  # which of xdist's workers it was
        return mine.split("\n----", 1)[0].strip("\n")


def run(
    folder: Path,
    *arguments: str,
    project: str = "",
    plugins: tuple[str, ...] = ALONE,
    python: Path = Path(sys.executable),
) -> Outcome:
    """Run it in `folder`, into which one of the projects beside this file is copied first."""
    if project:
        shutil.copytree(HERE / project, folder, dirs_exist_ok=True)
    environment: Mapping[str, str] = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_FOR_IT and not name.startswith(("LAMBDA_LATENCY_", "OTEL_", "AWS_", "COV_", "PYTEST_XDIST"))
    }
    done = subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", *plugins, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)
