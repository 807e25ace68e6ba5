"""How well the samples of slow requests find the function in which the time is spent, and what they cost.

23 planted kinds of slow functions run as requests on each Python that answers, several times: the function must be the
right one in 21 of them, and the shares of time must differ from the truth by 0.10 on the mean. The costs are counted
as instructions, by cachegrind. 20 kinds also run from end to end: the report must name the line of 18. Status 1 if a
limit is exceeded.

Usual time: 8 minutes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from lab.cost.counting import VALGRIND, counted_process
from lab.profile.costs import VARIANTS
from lab.profile.processor import more_percent
from lab.profile.reports import LEFT_OUT, reported
from lab.profile.sizes import sizes
from lab.profile.task import planted
from lab.same.pythons import ROOT, prepare

LOCK = ROOT / "requirements" / "versions" / "1.44.0.txt"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
LEAST_RIGHT, MOST_OFF, LEAST_REPORTED, MOST_PERCENT = 21, 0.10, 18, 3
LIMITS = {"a fast request": 2_000, "begin and wake-up": 30_000, "a look": 45_000}
FEW, MANY = 40, 140  # requests, and ten times as many fast ones and looks


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m lab profile", description=__doc__)
    parser.add_argument("--python", action="append", help="a version such as 3.13; all that answer unless given")
    parser.add_argument("--runs", type=int, default=3, help="how often all kinds run on each")
    parser.add_argument("--load", action="store_true", help="beside two processes that compute")
    parser.add_argument("--rows", action="store_true", help="print each kind")
    parser.add_argument(
        "--only", choices=("accuracy", "costs", "processor", "reports", "sizes"), help="one of the parts"
    )
    options = parser.parse_args()
    wrong = 0
    if options.only in (None, "accuracy"):
        burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(2 if options.load else 0)]
        for one in burners:
            one.start()
        for version in options.python or VERSIONS:
            python = prepare("profile", LOCK, version)
            if python is None:
                print(f"Python {version}: none that answers was found here")
                continue
            wrong += sum(not accurate(python, version, rows=options.rows) for _ in range(options.runs))
        for one in burners:
            one.terminate()
    if options.only in (None, "costs"):
        wrong += costs()
    if options.only in (None, "processor"):
        more = more_percent()
        print(f"{more:+.1f} % in all (at most {MOST_PERCENT} %)")
        wrong += more > MOST_PERCENT
    if options.only in (None, "reports"):
        kinds = [kind for kind in planted.KINDS if kind not in LEFT_OUT]
        right = reported(kinds)
        print(f"From end to end, the report names the right line of {right} of {len(kinds)} kinds")
        wrong += right < LEAST_REPORTED
    if options.only in (None, "sizes"):
        wrong += sizes()
    return int(wrong > 0)


def accurate(python: Path, version: str, *, rows: bool) -> bool:
    """Run all kinds once; print how many functions are right, and whether that is enough."""
    ran = subprocess.run(
        [python, "-m", "lab.profile.child"], cwd=ROOT, env=surroundings(), capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    off = [abs(one["found"] - one["truth"]) for one in found]
    right = sum(one["right"] for one in found)
    late = [one["kind"] for one in found if one["interval_ms"] != 5]
    print(f"Python {version}: the right function in {right} of {len(found)}; "
          f"shares off by {mean(off):.3f} on the mean, {max(off):.3f} at most")  # fmt: skip
    for one in found:
        if rows or not one["right"]:
            print(f"  {one}")
    if late:
        print(f"  the switch interval was not restored after {', '.join(late)}")
    return right >= LEAST_RIGHT and mean(off) <= MOST_OFF and not late


def costs() -> int:
    """Print the instructions of each piece; returns how many exceed their limit."""
    if VALGRIND is None:
        print("costs: not counted, because valgrind is not installed")
        return 1
    each = {variant: instructions(variant) for variant in VARIANTS}
    pieces = {
        "a fast request": each["fast"] - each["off"],
        "begin and wake-up": each["woken"] - each["waits"],
        "its first sample, CPU attributes, end": each["sampled"] - each["woken"],
        "its encoding, after the response": each["encoded"] - each["sampled"],
        "a look": each["look"],
        "a look at no slow request": each["idle"],
    }
    for name, count in pieces.items():
        limit = f" (at most {LIMITS[name]:,})" if name in LIMITS else ""
        print(f"{count:>9,} instructions more: {name}{limit}")
    return sum(pieces[name] > limit for name, limit in LIMITS.items())


def instructions(variant: str) -> int:
    """Those of one request or look."""
    times = 10 if variant in ("off", "fast", "idle", "look") else 1
    few, many = (
        counted_process(
            variant, [sys.executable, "-m", "lab.profile.costs", variant, str(count * times)], surroundings()
        )
        for count in (FEW, MANY)
    )
    return (many - few) // ((MANY - FEW) * times)


def surroundings() -> dict[str, str]:
    """The environment of a child."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'otel'}:{ROOT}", "PYTHONHASHSEED": "0"}


def burn() -> None:
    """Compute for ever."""
    while True:
        pass


if __name__ == "__main__":
    raise SystemExit(main())
