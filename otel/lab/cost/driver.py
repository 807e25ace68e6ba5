"""One process that answers requests with one variant's handler, without Lambda's runtime client: see `lab.cost.driven`.

It leaves at once after the last request. `NOTHING_AFTER` drops the spans of each request instead of delivering them.
"""

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


class Context:
    """Lambda's context object."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:orders"
    aws_request_id = ""

    def get_remaining_time_in_millis(self) -> int:
        """Enough that the watch over the deadline sleeps, however slow a busy machine is: its looks would count."""
        return 10_000_000


def traced(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[], object]]:
    """The handler, with the runtime if its wrapper is named, and what to do after each response."""
    module, _, function = name.rpartition(".")
    if not os.environ.get("LAMBDA_LATENCY_HANDLER"):
        return getattr(import_module(module), function), lambda: None
    from lambda_latency.runtime import bootstrap
    from lambda_latency.runtime.settings import Settings

    started = bootstrap.set_up(Settings.read(os.environ))
    assert started is not None
    runtime = started[0]
    runtime.delivers_before_response = False
    handler = bootstrap.traced(getattr(import_module(module), function), runtime)
    return handler, runtime.recorder.buffer.drain if "NOTHING_AFTER" in os.environ else runtime.after_response


def main(name: str, count: int) -> None:
    """Answer `count` requests."""
    handler, after = traced(name)
    context, event = Context(), json.loads(os.environ["EVENT"])
    if "UNCOLLECTED" in os.environ:
        gc.disable()
    _, _, header_end = os.environ["_X_AMZN_TRACE_ID"].partition(";")
    for number in range(count):
        # A trace for each, as on Lambda; none is the one of 64 that the kit samples from its begin.
        os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-674385f0-{64 * number + 1:024x};{header_end}"
        context.aws_request_id = f"00000000-0000-4000-8000-{number:012d}"
        handler(event, context)
        after()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
