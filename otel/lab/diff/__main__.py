"""Runs `lambda-latency diff` on identical versions: each run of an app is compared with every other one of its Python.

None may fail a condition. With --changes, runs the changes of changes.toml instead: each must be told, with its line.

Usual time: half a minute for each run, a minute beside busy loops.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import tomlkit

from lambda_latency.diff import CONDITIONS, read_condition
from lambda_latency.diff.compare import CountsDifference, compare
from lambda_latency.diff.counts import SideCounts
from lambda_latency.diff.lines import ChangedLines
from lambda_latency.diff.session import SessionCall
from lambda_latency.diff.side import SideSettings, run_side
from lambda_latency.local import LocalError
from lambda_latency.pythons import pythons

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
BUSY = 4  # processes beside every second run
PART_OF_EXAMPLE = ("functions", "template.yaml", "collector.yaml", "observability.yaml", "explain.yaml")
RUNTIME = re.compile(r"(Runtime: *[\"']?python)3\.\d+")


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
            apps.append(
                App(table["name"], parent / table["folder"], msgspec.convert(table["calls"], list[SessionCall]))
            )
    return apps


def counted(app: App, source: Path, folder: Path) -> SideCounts:
    """Run one side in a process of its own. Raises `LocalError`."""
    out = Path(tempfile.mkdtemp(dir=folder))
    context = get_context("spawn")
    parent, child = context.Pipe()
    settings = SideSettings(source / "template.yaml", source, out, True, app.calls, {}, True, "kit")
    process = context.Process(target=run_side, args=(settings, child))
    process.start()
    child.close()
    message: Any = 0
    try:
        while not isinstance(message, SideCounts):
            message = parent.recv()
            if isinstance(message, LocalError):
                raise message
    finally:
        process.terminate()
        process.join()
    return message


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Run processes that do nothing but work."""
    with ExitStack() as stack:
        for _ in range(count):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        yield


def failed(difference: CountsDifference) -> list[str]:
    """The conditions that a difference meets."""
    gates = [read_condition(condition.example) for condition in CONDITIONS]
    return [judged.sentence for judged in (gate.judge(difference) for gate in gates) if judged.failed]


def pairs_of(runs: list[SideCounts], source: Path) -> Iterator[CountsDifference]:
    """Each pair of runs, compared as `diff` does: another pair is the second run."""
    lines = ChangedLines(source, source)
    for left, right in combinations(range(len(runs)), 2):
        difference = compare(runs[left], runs[right], lines)
        if difference.unsteady:
            second = runs[(left + 1) % len(runs)], runs[(right + 1) % len(runs)]
            difference = compare(runs[left], runs[right], lines, second)
        yield difference


def main(parser: ArgumentParser) -> int:
    """Run the apps; status 1 if an identical pair fails."""
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="the clones of the public apps")
    parser.add_argument("--only", action="append", metavar="NAME", help="an app of the list; may be repeated")
    parser.add_argument("--python", action="append", metavar="3.X", help="a version; default: all that answer")
    parser.add_argument("--runs", type=int, default=4, metavar="N", help="of each app and Python (default: 4)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the counts, and use those that are there")
    parser.add_argument("--changes", action="store_true", help="run the changes instead")
    options = parser.parse_args()
    apps = [app for app in listed(options.folder) if not options.only or app.name in options.only]
    if options.changes:
        from lab.diff.changes import run_changes

        return run_changes(apps, options.keep)
    versions = options.python or [".".join(map(str, version)) for version in pythons()]
    total = failures = different = made = 0
    print("| app | Python | runs | pairs | fail | differ at all | why |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.keep or Path(temporary, "kept")
        kept.mkdir(parents=True, exist_ok=True)
        for app in apps:
            for version in versions:
                source = app.copied(Path(temporary, version), version)
                paths = [kept / f"{app.name}-{version}-{number}.json" for number in range(options.runs)]
                runs = [_run(app, source, path, number % 2 == 1) for number, path in enumerate(paths)]
                results = list(pairs_of(runs, source))
                bad = [failed(difference) for difference in results if failed(difference)]
                unequal = [_causes(difference) for difference in results if _causes(difference)]
                causes = "; ".join(sorted({cause for causes in (*bad, *unequal) for cause in causes}))
                row = (app.name, version, len(runs), len(results), len(bad), len(unequal), causes)
                print(f"| {' | '.join(map(str, row))} |", flush=True)
                made, total = made + len(runs), total + len(results)
                failures, different = failures + len(bad), different + len(unequal)
    print(f"\n{made} runs, {total} pairs: {failures} fail, {different} differ at all")
    return int(failures > 0)


def _causes(difference: CountsDifference) -> list[str]:
    changes = [f"{change.subject}: {change.kind} {change.name} {change.gain:+}" for change in difference.changes]
    return changes + [f"{subject}: {why}" for subject, why in difference.not_compared.items()]


def _run(app: App, source: Path, path: Path, beside_loops: bool) -> SideCounts:
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=SideCounts)
    with busy(BUSY if beside_loops else 0), tempfile.TemporaryDirectory() as folder:
        counts = counted(app, source, Path(folder))
    path.write_bytes(msgspec.json.encode(counts))
    json.dump({"run": path.stem}, sys.stderr)
    print(file=sys.stderr, flush=True)
    return counts
