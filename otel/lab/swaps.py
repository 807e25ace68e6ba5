"""Swaps two neighbouring rules of a table, one pair at a time: does the test of the table fail, and name a rule?

`python -m lab swaps` tries the rules of the verdict and the readers of formats. Pairs that exclude each other (no span
or document matches both) are listed and not tried. The exit status is 1 if a swap passes, or fails late or unnamed.

Usual time: 1 minute.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from lambda_latency.latency.analysis import categories
from lambda_latency.trace.readers import formats
from tests.latency.analysis.facts import both_match
from tests.trace.readers.claims import both_claim

ROOT = Path(__file__).parents[2]
WITHIN_S = 5.0  # of processor time: others may use the machine
Rule = TypeVar("Rule")


@dataclass(frozen=True, slots=True)
class RuleTable:
    """A table of rules in order: their names, whether two neighbours are exclusive, how to swap them, and the test."""

    names: tuple[str, ...]
    excludes: Callable[[int], bool]
    swap: Callable[[int], None]
    test: str


def swapped(rules: Sequence[Rule], index: int) -> tuple[Rule, ...]:
    """The rules with the one at `index` and the next one exchanged."""
    return (*rules[:index], rules[index + 1], rules[index], *rules[index + 2 :])


def swap_categories(index: int) -> None:
    """Exchange two rules of the verdict in this process."""
    categories.RULES = swapped(categories.RULES, index)  # type: ignore[assignment]


def swap_readers(index: int) -> None:
    """Exchange two formats in this process."""
    formats.FORMATS = swapped(formats.FORMATS, index)


TABLES = {
    "buckets": RuleTable(
        tuple(rule.subject for rule in categories.RULES),
        lambda index: both_match(*categories.RULES[index : index + 2]) is None,
        swap_categories,
        "tests.latency.analysis.test_categories",
    ),
    "readers": RuleTable(
        tuple(form.name for form in formats.FORMATS),
        lambda index: not both_claim(*formats.FORMATS[index : index + 2]),
        swap_readers,
        "tests.trace.readers.test_formats",
    ),
}


def tried(table: str, index: int) -> tuple[bool, str]:
    """Swap a pair in a process of its own and run its test: whether that finds the swap, and how it went."""
    began = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "lab", "swaps", "--table", table, "--swap", str(index)],
        cwd=ROOT, env={**os.environ, "COLUMNS": "1000"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ended = os.times()
    took = ended.children_user + ended.children_system - began.children_user - began.children_system
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    named = any(name in line for line in failed for name in TABLES[table].names[index : index + 2])
    if done.returncode == 0:
        return False, "NO TEST FAILS"
    if not named:
        return False, f"NO RULE IS NAMED: {(failed or [done.stderr or done.stdout])[0][-300:]}"
    late = "" if took <= WITHIN_S else ", TOO LATE"
    return not late, f"{len(failed)} tests fail, {took:.1f} s of processor time{late}"


def main(parser: ArgumentParser) -> int:
    """Try the pairs of the tables and print what happens; the exit status."""
    parser.add_argument("--table", choices=TABLES, help="one table (default: all)")
    parser.add_argument("--swap", type=int, metavar="N", help="run the table's test with rules N and N + 1 exchanged")
    options = parser.parse_args()
    if options.swap is not None:
        if options.table is None:
            parser.error("--swap needs --table")
        return with_swap(TABLES[options.table], options.swap)
    survived = 0
    for name, table in TABLES.items():
        if options.table in (None, name):
            survived += every_pair(name, table)
    print(f"{survived} swaps are not found" if survived else "every swap is found, or its rules exclude each other")
    return 1 if survived else 0


def every_pair(name: str, table: RuleTable) -> int:
    """Print a line for each pair of a table; the number of swaps that are not found."""
    survived = 0
    print(f"{name}: {len(table.names) - 1} pairs")
    for index, (upper, lower) in enumerate(zip(table.names, table.names[1:], strict=False)):
        is_found, how = (True, "exclude each other") if table.excludes(index) else tried(name, index)
        survived += not is_found
        print(f"  {index:2} {upper} | {lower}: {how}", flush=True)
    return survived


def with_swap(table: RuleTable, index: int) -> int:
    """Run the test of a table with two rules exchanged; pytest's exit status."""
    import pytest

    table.swap(index)
    spec = find_spec(table.test)
    assert spec is not None
    return pytest.main([str(spec.origin), "-q", "--tb=no", "-rf", "-p", "no:randomly", "-p", "no:cacheprovider"])
