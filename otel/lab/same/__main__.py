"""Does a function behave the same with the kit as without it? Runs a corpus of handlers both ways and compares.

All of it runs on every Python that answers here. Status 1 where anything differs, 2 for a wrong option.

Usual time: 10 minutes a Python.
"""

import subprocess
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab.progress import Progress
from lab.same.case import Case
from lab.same.corpus import CORPUS
from lab.same.difference import Difference, differences, said
from lab.same.pythons import ROOT, prepare
from lab.same.run import Children, Observed, run
from lab.same.tree import untraced
from lab.sampling import add_sampling, sampled

PYTHONS = "3.10,3.11,3.12,3.13,3.14"
LOCK = ROOT / "requirements" / "same.txt"


@dataclass
class Result:
    """What came of one case."""

    case: Case
    different: list[Difference] = field(default_factory=list)
    untraced: str = ""
    said: list[str] = field(default_factory=list)
    cold_ms: tuple[float, float] = (0.0, 0.0)  # bare, with the kit
    failure: str = ""  # of the run itself


def main(parser: ArgumentParser) -> int:
    """Run, print the table and the differences."""
    parser.add_argument("--pythons", default=PYTHONS, help="versions, separated by commas")
    add_sampling(parser, "handlers")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="how many handlers run at once")
    options = parser.parse_args()
    cases = sampled(CORPUS, lambda case: case.name, options, parser)
    wrong = ran = 0
    for version in options.pythons.split(","):
        python = prepare("same", LOCK, version)
        if python is None:
            print(f"Python {version} is not here: nothing ran on it")
            continue
        ran += 1
        can, cannot = runnable(python, cases)
        print("".join(f"{line}\n" for line in cannot), end="")
        wrong += print_report(version, compare(python, can, options.workers, f"Python {version}"))
    return int(bool(wrong) or not ran)


def compare(python: Path, cases: Sequence[Case], workers: int, title: str) -> Iterator[Result]:
    """Each case both ways, several at once; the results in the order of the cases, as they come."""
    progress = Progress(title, len(cases))
    with Children() as processes, ThreadPoolExecutor(workers) as pool:
        yield from pool.map(partial(_compare, python, processes, progress), cases)


def runnable(python: Path, cases: Sequence[Case]) -> tuple[list[Case], list[str]]:
    """The cases that this interpreter can run, and a line for each other one."""
    modules = sorted({module for case in cases for module in case.needs})
    ask = (
        "import sys; from importlib.util import find_spec\n"
        "print(*sys.version_info[:2], *[name for name in sys.argv[1:] if not find_spec(name)])"
    )
    answer = subprocess.run([python, "-c", ask, *modules], capture_output=True, text=True, check=True).stdout.split()
    version, missing = (int(answer[0]), int(answer[1])), set(answer[2:])
    can, cannot = [], []
    for case in cases:
        if case.since > version:
            cannot.append(f"{case.name}: skipped, Python {version[0]}.{version[1]} has not what it uses")
        elif lacks := missing & set(case.needs):
            cannot.append(f"{case.name}: skipped, {', '.join(sorted(lacks))} is not installed")
        else:
            can.append(case)
    return can, cannot


def _compare(python: Path, processes: Children, progress: Progress, case: Case) -> Result:
    try:
        bare = run(case, python, processes, kit=False)
        kit = run(case, python, processes, kit=True)
        return _result(case, bare, kit)
    except Exception as error:  # noqa: BLE001 - told in the table, with the others
        return Result(case, failure=f"{type(error).__name__}: {error}")
    finally:
        progress.step(case.name)


def _result(case: Case, bare: Observed, kit: Observed) -> Result:
    return Result(case, differences(case, bare, kit), untraced(case, kit), said(kit), (bare.cold_ms, kit.cold_ms))


def print_report(version: str, coming: Iterable[Result]) -> int:
    """Print the table, then each difference with both sides; how many cases differ."""
    width = max(len(case.name) for case in CORPUS)
    results = []
    for result in coming:
        results.append(result)
        print(f"{result.case.name:<{width}}  {_agreement(result):<8}  {result.untraced or 'traced'}", flush=True)
    for result in results:
        _tell(result)
    wrong = sum(bool(result.different or result.failure) for result in results)
    traced = sum(not result.untraced for result in results)
    print(
        f"\nPython {version}: {len(results)} handlers, {len(results) - wrong} the same, {wrong} differ, {traced} traced"
    )
    return wrong


def _agreement(result: Result) -> str:
    if result.failure:
        return "FAILED"
    if result.different:
        return "DIFFERS"
    return "same but" if result.case.but else "same"


def _tell(result: Result) -> None:
    for subject, reason in result.case.but.items():
        print(f"\n{result.case.name}: same but for {subject}: {reason}")
    for difference in result.different:
        print(f"\n{result.case.name}: {difference.subject}")
        print(f"  bare:\n{_indented(difference.bare)}\n  with the kit:\n{_indented(difference.kit)}")
    if result.failure:
        print(f"\n{result.case.name}: {result.failure}")
    if result.different or result.untraced:
        for line in result.said[:3]:
            print(f"{result.case.name}: the kit says {line[:300]}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line[:400]}" for line in text.splitlines())
