"""The options that the programs about the judge share, and how they end: a table, JSON, an exit status."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab.progress import Progress

# Shares that must be reached, and counts that must not be passed.
NEZHA_FIRST, NEZHA_ASSERTED, NEZHA_RIGHT = 0.90, 0.85, 0.95
NEZHA_BLAMED = 0.75  # of the faults in code that are asserted, those that are right
PLAIN_SECOND = 30 / 58  # without a baseline: what a report named before it had classes
PLANTED_FIRST, PLANTED_ALL, PLACES_NAMED = 0.95, 0.90, 0.95
BLAMED, WIDE_BLAMED = 0, 2  # classes without a cause, and those of wide noise
VALUE_FIRST, NONE_NAMED = 0.95, 3  # attribute values where one decides, and systems of 60 without one that name any
BEGIN_TOLD, BEGIN_NAMED, NOT_BEGUN = 0.95, 0.95, 2  # since when, what begins there, and systems of 60 without a change
SLOWER, SILENT = 1, 0  # "slower" of pairs without a fault, and "same" or status 0 where p95 doubled
ROOM = "lambda_latency.latency"
Case = TypeVar("Case")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Score:
    """A count out of a total. `least` or `most` is its bound, as a share of the total or as a count."""

    what: str
    count: int
    total: int
    least: float | None = None
    most: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound holds; a figure without a bound always holds, and so does one of no case."""
        low = self.least is None or self.count >= self.least * self.total
        return low and (self.most is None or self.count <= self.most)

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.least is not None:
            return f"at least {100 * self.least:g} %"
        return "" if self.most is None else f"at most {self.most}"


def failed(scores: list[Score]) -> bool:
    """Whether any bound does not hold."""
    return not all(row.holds for row in scores)


def text(scores: list[Score]) -> str:
    """A table for people; a bound that does not hold is marked."""
    width = max(len(row.what) for row in scores)
    lines = []
    for row in scores:
        share = f"{100 * row.count / row.total:.0f} %" if row.total else ""
        mark = "" if row.holds else "  NOT"
        lines.append(f"{row.what:{width}}  {row.count:4} of {row.total:<4} {share:>6}  {row.bound}{mark}".rstrip())
    return "\n".join(lines)


def values(scores: list[Score]) -> list[dict[str, object]]:
    """The table as JSON values."""
    return [{"what": row.what, "count": row.count, "total": row.total, "bound": row.bound, "holds": row.holds}
            for row in scores]  # fmt: skip


def threshold(text: str) -> tuple[str, float]:
    """`CALLER_SHARE=2` as a name and a number, for an option of a program."""
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=NUMBER, such as CALLER_SHARE=2, got {text!r}") from None


def replace_thresholds(values: Mapping[str, float]) -> None:
    """Set numbers of the judge in this process. Raises `ValueError` if no module has one of that name."""
    modules = [module for name, module in sys.modules.items() if name.startswith(ROOM)]
    for name, value in values.items():
        users = [module for module in modules if isinstance(vars(module).get(name), (int, float))]
        if not users:
            raise ValueError(f"no threshold of {ROOM}.judge is called {name}")
        for module in users:
            setattr(module, name, value)


def parsed(parser: argparse.ArgumentParser, whole: str = "") -> argparse.Namespace:
    """Add the shared options, and parse. `thresholds` is a mapping then, and has taken effect.

    `whole` says what --whole draws; programs that draw nothing have neither it nor --seed.
    """
    if whole:
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="other cases than those of 0")
        parser.add_argument("--whole", action="store_true", help=whole)
    parser.add_argument("--set", dest="thresholds", type=threshold, action="append", default=[], metavar="NAME=NUMBER",
                        help="another threshold of the judge, to see what it buys; may be repeated")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table and the cases as JSON")
    options = parser.parse_args()
    options.thresholds = dict(options.thresholds)
    try:
        replace_thresholds(options.thresholds)
    except ValueError as error:
        parser.error(str(error))
    return options


def finish(scores: list[Score], cases: Sequence[Any], options: argparse.Namespace) -> int:
    """Print the table, write it with the cases; returns 1 if a bound does not hold."""
    print(text(scores))
    if options.json is not None:
        document = {"thresholds": options.thresholds, "scores": values(scores), "cases": cases}
        options.json.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return int(failed(scores))


def done(
    work: Callable[[Case], Result], cases: Sequence[Case], title: str, thresholds: Mapping[str, float]
) -> Iterator[tuple[Case, Result]]:
    """Each case with its result, in order. `work` is a function of a module."""
    with ProcessPoolExecutor(os.cpu_count(), initializer=replace_thresholds, initargs=(thresholds,)) as processes:
        progress = Progress(title, len(cases))
        for case, result in zip(cases, processes.map(work, cases), strict=True):
            progress.step()
            yield case, result
