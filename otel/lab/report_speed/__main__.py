"""The speed of the report on traces of every kind, relative to `json.loads` of the same bytes; fails on the worst row.

All times are of one processor: the least of several rounds in which the three works alternate. Memory is the peak of a
fresh process.

Usual time: 10 minutes.
"""

import os
import tempfile
from argparse import ArgumentParser
from fnmatch import fnmatch
from pathlib import Path

from lab.report_speed.measuring import Measured, measure
from lab.report_speed.million import Million, measure_million
from lab.report_speed.rows import ROWS, Row
from lab.report_speed.table import HEAD, failures, line, million_lines, summary

MILLION = "million"
ROUNDS, MILLIONS = 3, 3


def main(parser: ArgumentParser) -> int:
    """Measure and print; status 1 if a floor does not hold."""
    parser.add_argument(
        "--rows", nargs="+", default=["*"], metavar="PATTERN",
        help=f"only these: names with * for any text, as otlp/* or */deep; {MILLION} is a million spans with "
        "one process and with two",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of which the least counts ({ROUNDS})")
    options = parser.parse_args()
    rows = [row for row in ROWS if _chosen(row.name, options.rows)]
    with_million = _chosen(MILLION, options.rows)
    if not rows and not with_million:
        parser.error(f"no row is called {' or '.join(options.rows)}; there are " + ", ".join(row.name for row in ROWS))
    with tempfile.TemporaryDirectory(prefix="report-speed-") as folder:
        measured = _table(rows, Path(folder), options.rounds)
        million = _million(Path(folder)) if with_million else None
    failed = list(failures(measured, million))
    print("\n".join(["", *failed, f"{len(failed)} of the floors do not hold"] if failed else ["", "All floors hold."]))
    return int(bool(failed))


def _million(folder: Path) -> Million | None:
    if (os.cpu_count() or 1) == 1:
        print("A million spans: not measured, for two processes need two processors.")
        return None
    million = measure_million(folder, MILLIONS)
    print(million_lines(million))
    return million


def _table(rows: list[Row], folder: Path, rounds: int) -> list[Measured]:
    measured = []
    if rows:
        print(HEAD, flush=True)
    for number, row in enumerate(rows, 1):
        measured.append(measure(row, folder, rounds))
        print(line(number, len(rows), measured[-1]), flush=True)
    if rows:
        print(f"\n{summary(measured)}", flush=True)
    return measured


def _chosen(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
