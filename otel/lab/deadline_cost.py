"""The cost of the watch over the deadline per request, in nanoseconds, and its false marks on finished requests.

Status 1 if there is a false mark, or if a span is missing.

Usual time: 5 seconds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

HEADER = "Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"
LIMIT_S = 3.0
BATCH = 1000


@dataclass
class Context:
    """The attributes of Lambda's context object that the runtime reads."""

    aws_request_id: str = "5b7e2c60-0000-4000-8000-000000000001"
    _epoch_deadline_time_in_ms: int = 0


@dataclass
class Counts:
    """A sink that counts spans."""

    spans: int = 0
    marked: list[str] = field(default_factory=list)

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = inf) -> None:
        taken = list(spans)
        self.spans += len(taken)
        self.marked += [span.name for span in taken if "lambda.provisional" in (span.attributes or {})]

    def urgent(self, spans: Sequence[ReadableSpan]) -> Callable[[float], bool]:
        def deliver(_seconds: float) -> bool:
            self.export(spans)
            return True

        return deliver

    def shutdown(self) -> None:
        """There is nothing to release."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m lab deadline-cost", description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    options = parser.parse_args()
    print(f"{cost_ns():.0f} ns a request for telling the watch of its begin and end")
    sink = Counts()
    runtime = Runtime(Settings.read({}), sink).start()
    os.environ["_X_AMZN_TRACE_ID"] = HEADER
    handler = traced(lambda _event, _context: {"statusCode": 200}, runtime)
    began = time.perf_counter()
    for _ in range(options.calls):
        handler({}, Context(_epoch_deadline_time_in_ms=int((time.time() + LIMIT_S) * 1000)))
    took = time.perf_counter() - began
    runtime.stop()
    marked = len(sink.marked)
    print(f"{options.calls:,} warm calls of {took / options.calls * 1e6:.0f} us that end in time: "
          f"{sink.spans:,} spans, {marked} marked as a timeout")  # fmt: skip
    return int(marked > 0 or sink.spans != options.calls)


def cost_ns() -> float:
    """The median cost of batches, minus that of an empty loop, in nanoseconds."""
    watch = DeadlineWatch(lambda _: None, lambda *_: LIMIT_S, Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": "0"}))
    span: Any = TracerProvider().get_tracer("bench").start_span("handler")
    now = time.time()
    watched, empty = [], []
    for _ in range(200):
        begin = time.perf_counter_ns()
        for _ in range(BATCH):
            watch.begin(span, now + LIMIT_S, now)
            watch.end()
        middle = time.perf_counter_ns()
        for _ in range(BATCH):
            pass
        watched.append((middle - begin) / BATCH)
        empty.append((time.perf_counter_ns() - middle) / BATCH)
    watch.stop()
    return median(watched) - median(empty)


if __name__ == "__main__":
    raise SystemExit(main())
