"""Runs the planted kinds as requests through the runtime in this process, and prints a line of JSON for each.

Started by the program, with the Python to measure: `python -m lab.profile.child KIND...`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from lab.profile.task import planted
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

TASK = Path(planted.__file__).parent
TURNS, TURN_S, OTHER_S = 12, 0.035, 0.010
os.environ.update(
    LAMBDA_TASK_ROOT=str(TASK), _HANDLER="planted.handler", AWS_REGION="eu-west-1", AWS_LAMBDA_FUNCTION_NAME="planted",
    AWS_LAMBDA_FUNCTION_VERSION="1", AWS_LAMBDA_LOG_STREAM_NAME="2024/11/25/[1]0123",
    _X_AMZN_TRACE_ID="Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
)  # fmt: skip


class Context:
    """What the runtime reads of Lambda's context object."""

    aws_request_id = "5b7e2c60-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        """A deadline that is far away."""
        return 60_000


class Sink:
    """Keeps the spans."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = 0) -> None:
        """Keep spans."""
        self.spans += spans

    def urgent(self, _spans: Sequence[ReadableSpan]) -> Callable[[float], bool]:
        """There is no deadline here."""
        return lambda _seconds: True

    def shutdown(self) -> None:
        """There is nothing to close."""


def main(kinds: Sequence[str]) -> None:
    """Run the kinds, or all."""
    sink = Sink()
    runtime = Runtime(Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": "1"}), sink).start()
    handler = traced(planted.handler, runtime)
    other = planted.calibrated(planted.other_compute, OTHER_S)
    handler({"kind": "sleep", "n": 10, "other": other, "turns": 1}, Context())  # the environment's first imports
    for kind in kinds or planted.KINDS:
        n = planted.calibrated(planted.KINDS[kind], TURN_S)
        time.sleep(0.02)
        truth = handler({"kind": kind, "n": n, "other": other, "turns": TURNS}, Context())
        runtime.after_response()
        print(json.dumps(row(kind, truth, sink.spans[-1])), flush=True)
    runtime.stop()


def row(kind: str, truth: dict[str, float], span: ReadableSpan) -> dict[str, object]:
    """The function of the planted kind, its true and found share, and the functions with most of the time."""
    named = planted.SPENT_IN.get(kind, kind)
    attributes = span.attributes or {}
    places, runs = attributes["lambda.profile.places"], str(attributes["lambda.profile.runs"])
    assert isinstance(places, Sequence)
    found = Counter[str]()
    late = 0
    for run in runs.split(";"):
        number, wall, _cpu, *more = run.split(",")
        function = str(places[int(number)]).partition(" > ")[0].rpartition(" ")[2]
        found[function] += int(wall)
        late += int(more[0]) if more else 0
    whole = sum(truth.values())
    longest = max(truth, key=lambda name: truth[name])
    return {
        "kind": kind,
        "truth": round(truth["work"] / whole, 3),
        "found": round(found[named] / max(1, sum(found.values())), 3),
        "most": found.most_common(1)[0][0],
        "right": found.most_common(1)[0][0] == (named if longest == "work" else longest),
        "samples": attributes["lambda.profile.samples"],
        "wall_ms": round(whole * 1e3),
        "late_ms": late,
        "interval_ms": round(sys.getswitchinterval() * 1e3, 3),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
