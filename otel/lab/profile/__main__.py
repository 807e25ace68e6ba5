"""What the samples of slow requests cost: instructions of each piece, and the processor time of requests that compute.

The instructions are counted by cachegrind. The processor time is that of a request with samples against the same
without them: the two of a pair take turns in being first, because other work on the machine changes both. Status 1 if a
limit is exceeded. docs/reference/spans.md has the figures.

Usual time: 3 minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from statistics import median

from lab.commands import ROOT
from lab.cost.counting import VALGRIND, counted_process
from lab.profile.requests import VARIANTS, Context, Sink
from lab.profile.task import planted
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

LIMITS = {"a fast request": 2_000, "begin and wake-up": 30_000, "a look": 45_000}
FEW, MANY = 40, 140  # requests, and ten times as many fast ones and looks
MOST_PERCENT, REQUEST_S, PAIRS = 3, 0.8, 15


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser("python -m lab profile", description=__doc__).parse_args()
    exceeded = costs()
    more = more_percent()
    print(f"{more:+.1f} % in all (at most {MOST_PERCENT} %)")
    return int(exceeded > 0 or more > MOST_PERCENT)


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
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'otel'}:{ROOT}", "PYTHONHASHSEED": "0"}
    few, many = (
        counted_process(
            variant, [sys.executable, "-m", "lab.profile.requests", variant, str(count * times)], environment
        )
        for count in (FEW, MANY)
    )
    return (many - few) // ((MANY - FEW) * times)


def more_percent() -> float:
    """Print the percentage of processor time that samples add to each kind; returns that of all pairs."""
    percentages = []
    for kind, work in planted.KINDS.items():
        count = planted.calibrated(work, REQUEST_S)
        pairs = [_pair(kind, count, ("0", "200") if pair % 2 == 0 else ("200", "0")) for pair in range(PAIRS)]
        percentages += pairs
        print(f"{median(pairs):+.1f} % processor time with samples: {kind}, the median of {PAIRS} pairs")
    return median(percentages)


def _pair(kind: str, count: int, order: tuple[str, str]) -> float:
    cpu_s = {after_ms: _cpu_s(kind, count, after_ms) for after_ms in order}
    return 100 * (cpu_s["200"] / cpu_s["0"] - 1)


def _cpu_s(kind: str, count: int, after_ms: str) -> float:
    runtime = Runtime(Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": after_ms}), Sink()).start()
    handler = traced(planted.handler, runtime)
    begun = time.process_time()
    handler({"kind": kind, "count": count}, Context())
    cpu_s = time.process_time() - begun
    runtime.after_response()
    runtime.stop()
    return cpu_s


if __name__ == "__main__":
    raise SystemExit(main())
