"""Print a table of the kit: modules per folder, floors, arrows, circles, names, entered modules and lines.

Usual time: 1 minute.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tokenize
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.house.graph import Graph, arrows, circles, floors, room
from lab.house.lines import base_names, code_lines, folders, python_files

ROOT = Path(__file__).parents[3]
KIT = "lambda_latency"
MODULES, NAMES = 26, 3  # of a folder, and of one base name: more are marked
APART = "bridge/names"  # the X-Ray SDK decides how many modules are there
NOT_OURS = ("AWS_", "LAMBDA_LATENCY_", "OTEL_", "PYTHON")
TRIPS = {"report": "a report", "event": "a warm event", "request": "a request through the local system"}

COLUMN = 18

Rows = dict[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser("python -m lab house", description=__doc__)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout, as a column before this one")
    parser.add_argument("--traces", type=Path, metavar="FILE", default=Path(ROOT, "otel/tests/golden/xray/spans.jsonl"),
                        help="the file that the report reads (default: the golden documents of the tests)")  # fmt: skip
    options = parser.parse_args(arguments)
    checkouts = {"here": ROOT} if options.against is None else {"against": options.against.resolve(), "here": ROOT}
    for folder in checkouts.values():
        if not (folder / "otel" / KIT).is_dir() or not (folder / ".venv" / "bin" / "python").exists():
            parser.error(f"{folder} must be a checkout with otel/{KIT} and .venv: run make setup there")
    if not options.traces.is_file():
        parser.error(f"--traces must be a file with traces, got {options.traces}")
    print(table({name: measure(folder, options.traces.resolve()) for name, folder in checkouts.items()}))
    return 0


def measure(checkout: Path, traces: Path) -> Rows:
    """All rows of a checkout, which is measured by the Python of its own .venv."""
    kit = checkout / "otel" / KIT
    rows = {}
    for name, count in folders(kit).items():
        above = count > MODULES and not f"{name}/".startswith(f"{APART}/")
        rows[f"modules in {name}"] = f"{count}{' !' if above else ''}"
    with ThreadPoolExecutor(len(TRIPS)) as threads:
        trips = {
            title: threads.submit(ask, checkout, trip, *([str(traces)] if trip == "report" else []))
            for trip, title in TRIPS.items()
        }
        graph = {module: frozenset(imported) for module, imported in ask(checkout, "imports")}
    rows |= of_graph("the kit", graph)
    for path in sorted(one.parent for one in kit.glob("*/__init__.py")):
        rows |= of_graph(path.name, room(graph, f"{KIT}.{path.name}"))
    # The names of `bridge/names` are those of the X-Ray SDK.
    own = [path for path in python_files(kit) if not path.is_relative_to(kit / APART)]
    for name, count in base_names(own, NAMES).items():
        rows[f"files named {name}.py"] = f"{count} !"
    for title, trip in trips.items():
        functions, classes = (set(trip.result()[kind]) for kind in ("functions", "classes"))
        rows[f"modules in which {title} calls a function"] = str(len(functions))
        if classes:
            rows["  the same with those in which it runs the body of a class"] = str(len(functions | classes))
    for name, where in (("kit", [f"otel/{KIT}"]), ("tests", ["tests", "otel/tests"]), ("lab", ["lab", "otel/lab"])):
        rows |= of_lines(name, python_files(*(checkout / folder for folder in where)))
    locks = [path for folder in ("requirements", "lab", "otel") for path in (checkout / folder).rglob("*.txt")]
    return rows | {"locks: files": str(len(locks)), "locks: lines": f"{sum(map(line_count, locks)):,}"}


def of_graph(name: str, graph: Graph) -> Rows:
    """The row of one import graph; its circles are named."""
    found = circles(graph)
    counts = (len(graph), floors(graph), arrows(graph), len(found))
    row = {f"modules/floors/arrows/circles of {name}": "/".join(map(str, counts)) + (" !" if found else "")}
    return row | {f"  circle {', '.join(sorted(one))}": "!" for one in found}


def of_lines(name: str, files: Sequence[Path]) -> Rows:
    """The rows of some files. Files of tests that are no Python on purpose hold no line of code."""
    code = 0
    for path in files:
        try:
            with tokenize.open(path) as file:
                code += code_lines(file.read())
        except SyntaxError:
            continue
    lines = sum(map(line_count, files))
    return {f"{name}: files": str(len(files)), f"{name}: lines": f"{lines:,}", f"{name}: lines of code": f"{code:,}"}


def line_count(path: Path) -> int:
    """The number of lines of a file."""
    return len(path.read_bytes().splitlines())


def ask(checkout: Path, what: str, *arguments: str) -> Any:
    """The answer of `lab.house.child` in the checkout. Exits with its last lines if it fails."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    ran = subprocess.run(
        [checkout / ".venv" / "bin" / "python", "-m", "lab.house.child", checkout, what, *arguments],
        cwd=ROOT,
        env={**variables, "PYTHONPATH": str(checkout / "otel"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise SystemExit(f"lab house: {what} of {checkout} failed:\n{ran.stderr[-2000:]}")
    return json.loads(ran.stdout.splitlines()[-1])


def table(columns: Mapping[str, Rows]) -> str:
    """The rows of all checkouts side by side; rows of the first that the others lack stand where they stood."""
    names = in_order([list(rows) for rows in columns.values()])
    wide = max(map(len, names))
    head = " " * wide + "".join(f"{name:>{COLUMN}}" for name in columns)
    lines = [
        f"{name:<{wide}}" + "".join(f"{rows.get(name, '-'):>{COLUMN}}" for rows in columns.values()) for name in names
    ]
    return "\n".join([head, *lines, f"! above {MODULES} modules a folder or {NAMES} files a name, or a circle"])


def in_order(lists: Sequence[list[str]]) -> list[str]:
    """All names once, each after the one that it follows in its list."""
    merged: list[str] = []
    for names in lists:
        at = 0
        for name in names:
            if name in merged:
                at = merged.index(name) + 1
            else:
                merged.insert(at, name)
                at += 1
    return merged


if __name__ == "__main__":
    raise SystemExit(main())
