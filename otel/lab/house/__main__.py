"""Print a table of the kit: modules per folder, floors, arrows, circles, names and entered modules.

Usual time: 1 minute.
"""

import json
import os
import subprocess
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab.house.graph import Graph, arrows, circles, floors, subpackage
from lab.house.lines import base_names, folders, python_files

ROOT = Path(__file__).parents[3]
KIT = "lambda_latency"
MODULES, NAMES = 26, 3  # of a folder, and of one base name: more are marked
NOT_OURS = ("AWS_", "LAMBDA_LATENCY_", "OTEL_", "PYTHON")
TRIPS = {"report": "a report", "event": "a warm event", "request": "a request through the local system"}

COLUMN = 18

Rows = dict[str, str]


def main(parser: ArgumentParser) -> int:
    """The command line. Returns the exit status."""
    parser.add_argument("--traces", type=Path, metavar="FILE", default=Path(ROOT, "otel/tests/golden/xray/spans.jsonl"),
                        help="the file that the report reads (default: the golden documents of the tests)")  # fmt: skip
    options = parser.parse_args()
    if not options.traces.is_file():
        parser.error(f"--traces must be a file with traces, got {options.traces}")
    print(table(measure(ROOT, options.traces.resolve())))
    return 0


def measure(checkout: Path, traces: Path) -> Rows:
    """All rows of a checkout, which is measured by the Python of its own .venv."""
    kit = checkout / "otel" / KIT
    rows = {}
    for name, count in folders(kit).items():
        rows[f"modules in {name}"] = f"{count}{' !' if count > MODULES else ''}"
    with ThreadPoolExecutor(len(TRIPS)) as threads:
        arguments = {"report": [str(traces)]}
        trips = {title: threads.submit(ask, checkout, trip, *arguments.get(trip, [])) for trip, title in TRIPS.items()}
        graph = {module: frozenset(imported) for module, imported in ask(checkout, "imports")}
    rows |= of_graph("the kit", graph)
    for path in sorted(path.parent for path in kit.glob("*/__init__.py")):
        rows |= of_graph(path.name, subpackage(graph, f"{KIT}.{path.name}"))
    for name, count in base_names(python_files(kit), NAMES).items():
        rows[f"files named {name}.py"] = f"{count} !"
    for title, trip in trips.items():
        rows |= _of_trip(title, trip.result())
    return rows


def _of_trip(title: str, entered: dict[str, list[str]]) -> Rows:
    """The rows of a run: the modules of which it entered functions, and bodies of classes."""
    functions, classes = set(entered["functions"]), set(entered["classes"])
    rows = {f"modules in which {title} calls a function": str(len(functions))}
    if classes:
        rows["  the same with those in which it runs the body of a class"] = str(len(functions | classes))
    return rows


def of_graph(name: str, graph: Graph) -> Rows:
    """The row of one import graph; its circles are named."""
    import_circles = circles(graph)
    counts = (len(graph), floors(graph), arrows(graph), len(import_circles))
    row = {f"modules/floors/arrows/circles of {name}": "/".join(map(str, counts)) + (" !" if import_circles else "")}
    return row | {f"  circle {', '.join(sorted(circle))}": "!" for circle in import_circles}


def ask(checkout: Path, answer_name: str, *arguments: str) -> Any:
    """The answer of `lab.house.child` in the checkout. Exits with its last lines if it fails."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    ran = subprocess.run(
        [checkout / ".venv" / "bin" / "python", "-m", "lab.house.child", checkout, answer_name, *arguments],
        cwd=ROOT,
        env={**variables, "PYTHONPATH": str(checkout / "otel"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise SystemExit(f"lab house: {answer_name} of {checkout} failed:\n{ran.stderr[-2000:]}")
    return json.loads(ran.stdout.splitlines()[-1])


def table(rows: Rows) -> str:
    """The rows as text."""
    wide = max(map(len, rows))
    lines = [f"{name:<{wide}}{value:>{COLUMN}}" for name, value in rows.items()]
    return "\n".join([*lines, f"! above {MODULES} modules a folder or {NAMES} files a name, or a circle"])
