"""Runs one version of an app, and judges what it counted as the command does."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import tomlkit

from lambda_latency.diff import CONDITIONS, read_condition
from lambda_latency.diff.compare import CountsDifference
from lambda_latency.diff.counts import SideCounts
from lambda_latency.diff.run import measured
from lambda_latency.diff.session import SessionCall
from lambda_latency.diff.side import DiffOptions, SideSettings

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
PART_OF_EXAMPLE = ("functions", "template.yaml", "collector.yaml", "observability.yaml", "explain.yaml")
RUNTIME = re.compile(r"(Runtime: *[\"']?python)3\.\d+")
BUSY_LOOP = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"  # also a killed parent ends it


class App(NamedTuple):
    """An app of apps.toml."""

    name: str
    folder: Path
    calls: list[SessionCall]

    def copied(self, folder: Path, python: str) -> Path:
        """Copy the app into a folder of its name, for a Python version; empty: its own."""
        target = folder / self.name
        if self.name == "example":
            target.mkdir(parents=True)
            for part in PART_OF_EXAMPLE:
                source = self.folder / part
                (shutil.copytree if source.is_dir() else shutil.copy)(source, target / part)
        else:
            shutil.copytree(self.folder, target)
        if python:
            template = target / "template.yaml"
            template.write_text(RUNTIME.sub(rf"\g<1>{python}", template.read_text(encoding="utf-8")), encoding="utf-8")
        return target


def listed(folder: Path | None) -> list[App]:
    """The apps of apps.toml; without the folder of the public ones, the others."""
    tables: list[dict[str, Any]] = tomlkit.parse((HERE / "apps.toml").read_text(encoding="utf-8")).unwrap()["app"]
    apps = []
    for table in tables:
        parent = folder if "repository" in table else CHECKOUT if table["name"] == "example" else HERE
        if parent is not None:
            calls = msgspec.convert(table["calls"], list[SessionCall])
            apps.append(App(table["name"], parent / table["folder"], calls))
    return apps


def counted(app: App, source: Path, folder: Path) -> SideCounts:
    """Run one side in a process of its own. Raises `LocalError`."""
    out = Path(tempfile.mkdtemp(dir=folder), "side")
    settings = SideSettings(source / "template.yaml", source, out, True, DiffOptions(app.calls, {}, True, "kit"))
    return measured({app.name: settings}, None, lambda _: None)[app.name]


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Run processes that do nothing but work."""
    with ExitStack() as stack:
        for _ in range(count):
            command = [sys.executable, "-c", BUSY_LOOP, str(os.getpid())]
            loop = stack.enter_context(subprocess.Popen(command))
            stack.callback(loop.kill)
        yield


def failed(difference: CountsDifference) -> list[str]:
    """The conditions that a difference meets."""
    gates = [read_condition(condition.example) for condition in CONDITIONS]
    return [judged.sentence for judged in (gate.judge(difference) for gate in gates) if judged.failed]


def run(app: App, source: Path, path: Path, loops: int) -> SideCounts:
    """Run a version beside busy loops and keep its counts; those that are there already are used."""
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=SideCounts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with busy(loops), tempfile.TemporaryDirectory() as folder:
        counts = counted(app, source, Path(folder))
    path.write_bytes(msgspec.json.encode(counts))
    print(path.stem, file=sys.stderr, flush=True)
    return counts
