"""The corpus and the tests of the runtime with other versions of OpenTelemetry and of the runtime client.

Each file of requirements/versions is an environment, and one row of the table: how many handlers behave the same, how
many were traced, how long a cold start takes, and how the runtime's own tests ended (not run where the version lacks
instrumentations that they need). Status 1 where a handler differs, is not traced, or a test failed.

Usual time: 1 hour.
"""

import os
import re
import statistics
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.same.__main__ import Result, compare, runnable
from lab.same.case import Case
from lab.same.corpus import CORPUS
from lab.same.pythons import ROOT, prepare
from lab.same.run import KIT, Children, run

LOCKS = ROOT / "requirements" / "versions"
SUBSET = (
    "plain.returned", "plain.about_the_context", "errors.plain", "errors.the_same_object", "logs.an_exception",
    "logs.plain (JSON)",
    "aws.twice", "aws.done", "aws.throttled", "aws.service", "aws.in_threads",
    "aws.get_item (not sampled)", "calls.get", "calls.post", "calls.got", "calls.by_urllib", "calls.by_urllib3",
    "calls.by_httpx", "calls.httpx_asynchronous", "calls.by_aiohttp", "concurrency.pool", "concurrency.thread",
    "concurrency.a_loop", "concurrency.processes", "databases.cursor", "databases.alchemy", "own/api.spans",
    "own/api.with_baggage", "own/provider.exported", "own/provider.flushed", "own/set_up.handler (propagator)",
    "own/set_up.handler (instrumentors)", "own/set_up.handler (boto_instrumentor)",
    "own/set_up.handler (imports_instrumentor)", "own/set_up.handler (at_init)", "starts/greened.spawned",
    "starts/at_import.handler (threads)", "starts/at_import.handler (warnings_as_errors)",
    "vendors/tracers.handler (sentry_otel)",
)  # fmt: skip
"""What a version can break: the calls that every function makes, and all that touches OpenTelemetry itself."""
COLD = Case("aws.twice", label="cold start")
STARTS = 5


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What came of one version."""

    version: str
    same: str
    traced: str
    cold: str
    tests: str
    wrong: bool


def main(parser: ArgumentParser) -> int:
    """Run each version, print the table last."""
    parser.add_argument("--versions", default="", help="names of files in requirements/versions; all unless given")
    parser.add_argument("--python", default="3.13", help="the version of Python; Lambda's unless given")
    parser.add_argument("--whole", action="store_true", help="the whole corpus instead of a part of it")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only handlers whose name has this in it")
    parser.add_argument("--no-tests", action="store_true", help="without the runtime's own tests")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="how many handlers run at once")
    options = parser.parse_args()
    names = options.versions.split() or sorted((file.stem for file in LOCKS.glob("[0-9]*.in")), key=numbers)
    cases = [case for case in CORPUS if (options.whole or case.name in SUBSET) and re.search(options.only, case.name)]
    if not cases:
        parser.error(f"no handler has {options.only!r} in its name")
    rows = []
    for name in names:
        try:
            python = prepare(f"versions/{name}", LOCKS / f"{name}.txt", options.python)
        except subprocess.CalledProcessError as error:
            rows.append(VersionRow(name, "-", "-", "-", f"cannot be set up: {error}"[:80], wrong=True))
            continue
        if python is None:
            print(f"Python {options.python} is not here: nothing ran", file=sys.stderr)
            return 1
        rows.append(row(name, python, cases, options.workers, tests=not options.no_tests))
    heads = VersionRow(
        "OpenTelemetry", "same", "traced", "cold start ms, bare -> kit", "tests of the runtime", wrong=False
    )
    print()
    for line in (heads, *rows):
        print(f"{line.version:<28} {line.same:<10} {line.traced:<10} {line.cold:<28} {line.tests}")
    return int(any(line.wrong for line in rows))


def numbers(name: str) -> list[int]:
    """A version as numbers, for the order of the table."""
    return [int(number) for number in re.findall(r"\d+", name)]


def row(name: str, python: Path, cases: Sequence[Case], workers: int, *, tests: bool) -> VersionRow:
    """Run what is asked for with one version; each handler that is not right is printed at once."""
    can, cannot = runnable(python, cases)
    print(f"== {name}" + "".join(f"\n{line}" for line in cannot), flush=True)
    same_count = traced = 0
    for result in compare(python, can, workers, name):
        same_count += not (result.different or result.failure)
        traced += not result.untraced
        tell(result)
    ended = tested(python) if tests and is_complete(name) else "not run"
    wrong = same_count < len(can) or traced < len(can) or not (ended == "not run" or ended.startswith("all"))
    return VersionRow(name, f"{same_count} of {len(can)}", f"{traced} of {len(can)}", cold(python), ended, wrong)


def is_complete(name: str) -> bool:
    """Whether a version has all instrumentations that the runtime's tests need."""
    return "-r instrumentations.in" in (LOCKS / f"{name}.in").read_text(encoding="utf-8")


def tell(result: Result) -> None:
    """What is not right with a handler, in a line each."""
    for difference in result.different:
        sides = [text.splitlines()[0][:150] for text in (difference.bare, difference.kit)]
        print(f"{result.case.name}: {difference.subject}: bare {sides[0]!r}, with the kit {sides[1]!r}", flush=True)
    for problem in filter(None, (result.failure, result.untraced)):
        print(f"{result.case.name}: {problem}", *(line[:200] for line in result.said[:1]), flush=True)


def cold(python: Path) -> str:
    """The median time from a process's start to its first answer, bare and with the kit, one at a time."""
    with Children() as processes:
        runs = [[run(COLD, python, processes, kit=kit).cold_ms for kit in (False, True)] for _ in range(STARTS)]
    bare, kit = (statistics.median(times) for times in zip(*runs, strict=True))
    return f"{bare:,.0f} -> {kit:,.0f}"


def tested(python: Path) -> str:
    """How the runtime's own tests end there."""
    source = {**os.environ, "PYTHONPATH": str(KIT)}
    how = ("-q", "--no-header", "--tb=line", "-m", "not pinned")
    command: list[str | Path] = [python, "-m", "pytest", *how, "otel/tests/runtime"]
    done = subprocess.run(command, cwd=ROOT, env=source, check=False, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["nothing was said"]
    if done.returncode == 0:
        return f"all passed ({lines[-1].strip('= ')})"
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(line[:200])
    return str(lines[-1]).strip("= ")
