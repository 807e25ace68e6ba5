"""The processor time of a computing request with samples, against the same without them: pairs, and their median.

The two of a pair take turns in being first, because other work on the machine changes the processor time of both.
"""

from __future__ import annotations

import time
from statistics import median

from lab.profile.child import Context, Sink
from lab.profile.task import planted
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

__all__ = ["more_percent"]

KINDS = ("loop", "json_dumps", "deepcopy", "regex")
REQUEST_S, PAIRS = 0.8, 15


def more_percent() -> float:
    """Print the percentage of each kind; returns that of all pairs."""
    every = []
    for kind in KINDS:
        n = planted.calibrated(planted.KINDS[kind], REQUEST_S)
        found = []
        for pair in range(PAIRS):
            order = ("0", "200")[:: 1 if pair % 2 else -1]
            used = {after_ms: _cpu_s(kind, n, after_ms) for after_ms in order}
            found.append(100 * (used["200"] / used["0"] - 1))
        every += found
        print(f"{median(found):+.1f} % processor time with samples: {kind}, the median of {PAIRS} pairs")
    return median(every)


def _cpu_s(kind: str, n: int, after_ms: str) -> float:
    runtime = Runtime(Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": after_ms}), Sink()).start()
    handler = traced(planted.handler, runtime)
    begun = time.process_time()
    handler({"kind": kind, "n": n, "other": 1, "turns": 1}, Context())
    used = time.process_time() - begun
    runtime.after_response()
    runtime.stop()
    return used
