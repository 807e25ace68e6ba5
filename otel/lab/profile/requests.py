"""Requests of one variant in this process, for counting instructions: `python -m lab.profile.requests VARIANT N`.

`off` has no samples; `fast` is a fast request. `waits` is a request without samples that waits a moment; `woken` is one
that wakes the watch, `sampled` one that is sampled from its begin, and `encoded` the same with its encoding. `idle` and
`look` are looks of the watch, without and with a sample of a stack with ten functions of libraries.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from lab.profile.task import planted
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.deadline.profile import profiles
from lambda_latency.runtime.deadline.running import NEVER, Running
from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.delivery.encoding import Encoder
from lambda_latency.runtime.redact.spans import Redaction
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

VARIANTS = ("off", "fast", "waits", "woken", "sampled", "encoded", "idle", "look")
os.environ.update(
    LAMBDA_TASK_ROOT=str(Path(planted.__file__).parent), _HANDLER="planted.handler", AWS_REGION="eu-west-1",
    AWS_LAMBDA_FUNCTION_NAME="planted", AWS_LAMBDA_FUNCTION_VERSION="1",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512", AWS_LAMBDA_LOG_STREAM_NAME="2024/11/25/[1]0123",
    _X_AMZN_TRACE_ID="Root=1-674385f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1",
)  # fmt: skip


class Context:
    """What the runtime reads of Lambda's context object."""

    aws_request_id = "5b7e2c60-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        """A deadline that is far away."""
        return 60_000


class Sink:
    """Forgets the spans."""

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = 0) -> None:
        """Drop them."""

    def urgent(self, _spans: Sequence[ReadableSpan]) -> Callable[[float], bool]:
        """There is no deadline here."""
        return lambda _seconds: True

    def shutdown(self) -> None:
        """There is nothing to close."""


class EncodingSink(Sink):
    """Encodes the spans, and forgets them."""

    def __init__(self) -> None:
        self._encoder = Encoder(Redaction(None, 4096))

    def export(self, spans: Iterable[ReadableSpan], _seconds: float = 0) -> None:
        """Encode them."""
        list(self._encoder.encode(list(spans), 60_000))


def requests(variant: str, count: int) -> None:
    """Run requests; all but fast ones wait a moment, in which the watch may look."""
    chosen = variant in ("woken", "sampled", "encoded")
    if variant == "woken":
        DeadlineWatch._seen = lambda *_: 0.2  # type: ignore[method-assign]
    after = "0" if variant in ("off", "waits") else "200"
    seconds = 0.0 if variant in ("off", "fast") else 0.001
    sink = EncodingSink() if variant == "encoded" else Sink()
    runtime = Runtime(Settings.read({"LAMBDA_LATENCY_PROFILE_AFTER_MS": after}), sink).start()
    handler = traced(lambda _event, _context: moment(seconds), runtime)
    for number in range(count):
        last = number * 64 + (0 if chosen else 1)
        os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-674385f0-{last:024x};Parent=0123456789abcdef;Sampled=1"
        handler({}, Context())
        runtime.after_response()
    runtime.stop()


def moment(seconds: float) -> None:
    """Wait; a fast request does not even give the interpreter away."""
    if seconds:
        time.sleep(seconds)


def looks(count: int, *, sampled: bool) -> None:
    """Looks of the watch at this thread."""
    watch = DeadlineWatch(lambda _running: None, lambda *_: NEVER, Settings.read({}))
    span = TracerProvider().get_tracer("lab").start_span("handler")
    watch.begin(span, time.time() + 6000, time.time())  # type: ignore[arg-type]
    begun = watch._running
    assert begun is not None
    if sampled:
        watch._profile = profiles(lines=False)(Running(*begun), begun, time.time())

    def deep(more: int) -> None:
        if more:
            deep(more - 1)
            return
        for _ in range(count):
            watch._wait(0.0)

    planted.calls(lambda: deep(7))  # with the frames of the watch itself, ten of libraries below the own one
    watch.end()
    watch.stop()


if __name__ == "__main__":
    if sys.argv[1] in ("idle", "look"):
        looks(int(sys.argv[2]), sampled=sys.argv[1] == "look")
    else:
        requests(sys.argv[1], int(sys.argv[2]))
