"""Requests of one variant in this process, for counting instructions: `python -m lab.profile.costs VARIANT N`.

`off` has no samples; `fast` is a fast request. `waits` is a request without samples that waits a moment; `woken` is one
that wakes the watch, `sampled` one that is sampled from its begin, and `encoded` the same with its encoding. `idle` and
`look` are looks of the watch, without and with a sample of a stack with ten functions of libraries.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from lab.profile.child import Context, Sink
from lab.profile.task import planted
from lambda_latency.runtime.bootstrap import traced
from lambda_latency.runtime.deadline.profile import profiles
from lambda_latency.runtime.deadline.running import NEVER, Running
from lambda_latency.runtime.deadline.watch import DeadlineWatch
from lambda_latency.runtime.delivery.encoding import Encoder
from lambda_latency.runtime.redact.spans import Redaction
from lambda_latency.runtime.settings import Settings
from lambda_latency.runtime.setup import Runtime

__all__ = ["VARIANTS"]

VARIANTS = ("off", "fast", "waits", "woken", "sampled", "encoded", "idle", "look")


class Encodes(Sink):
    """Encodes the spans, and forgets them."""

    def __init__(self) -> None:
        super().__init__()
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
    sink = Encodes() if variant == "encoded" else Sink()
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
