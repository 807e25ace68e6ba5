"""A call in a request that nobody records: no span is made of it, and the decision goes on to who is called.

Upstream's wrapper of requests does all but record: it collects attributes and makes a span that holds nothing. In a
request that is not recorded that costs more than in one of the X-Ray SDK, which makes spans (`make bench`).
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.propagate import inject
from opentelemetry.trace import get_current_span

from lambda_latency.runtime.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pass_by_requests"]


def pass_by_requests() -> Callable[[], None]:
    """To be called after its instrumentation; returns the undoing. Upstream's own undoing takes off both."""
    owner = sys.modules["requests"].Session
    traced = vars(owner)["send"]

    @functools.wraps(traced)
    def send(self: object, request: Any, **kwargs: Any) -> Any:
        span = get_current_span()
        if span.is_recording() or not span.get_span_context().is_valid:
            return traced(self, request, **kwargs)
        carry(request)
        with suppress_instrumentation():
            return traced(self, request, **kwargs)

    def undo() -> None:
        if vars(owner)["send"] is send:
            owner.send = traced

    send.__wrapped__ = traced.__wrapped__
    owner.send = send
    return undo


@harmless("the tracing header of a call")
def carry(request: Any) -> None:
    """The header, on a request of `requests`."""
    inject(request.headers)
