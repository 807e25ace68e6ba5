"""What an AWS call's span cannot see from outside of botocore's `Endpoint`: its tracing header, and its attempts.

The header: our span as the parent, and Lambda's own `Lineage` kept. botocore writes the header of the invocation
itself, for Lambda's detection of loops, and upstream's instrumentation then leaves it alone: what is called would hang
on Lambda's segment and not on the call's span.

The attempts of a call that was tried again are events of its span: when each ended, and how. A call that was answered
at once has none: its span says all.
"""

from __future__ import annotations

import functools
import os
from time import time_ns
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import harmless
from lambda_latency.runtime.propagation import HEADER, ROOT, tracing_header
from lambda_latency.runtime.shortcuts import current_span

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPMessage

    from opentelemetry.util.types import AttributeValue

__all__ = ["carry_lineage", "tell_attempts"]

# Since the call's begin, and beside the events, of which X-Ray keeps none.
FIRST_ENDED = "lambda.retry.first_ended_ms"
LAST_BEGAN = "lambda.retry.last_began_ms"


def carry_lineage() -> Callable[[], None]:
    """Wrap `Endpoint.prepare_request`, outside of upstream's own wrapper; returns the undoing."""
    from botocore.endpoint import Endpoint

    original = Endpoint.prepare_request

    @functools.wraps(original)
    def prepare_request(self: Endpoint, request: Any) -> Any:
        write_header(request.headers)
        return original(self, request)

    def undo() -> None:
        if Endpoint.__dict__["prepare_request"] is prepare_request:
            Endpoint.prepare_request = original  # type: ignore[method-assign]

    Endpoint.prepare_request = prepare_request  # type: ignore[method-assign]
    return undo


@harmless("the tracing header of an AWS call")
def write_header(headers: HTTPMessage) -> None:
    """The current span as parent. A header that is not Lambda's was written on purpose and stays."""
    context = current_span().get_span_context()
    if not context.is_valid:
        return
    value = tracing_header(context)
    # One after the other in one list, as email.message keeps them: its own ways go through all of them, and twice.
    kept: list[tuple[str, Any]] = getattr(headers, "_headers", None) or []
    at = next((at for at, (name, _) in enumerate(kept) if name == HEADER), None)
    before: Any = kept[at][1] if at is not None else headers.get(HEADER, "")
    if isinstance(before, bytes):
        before = before.decode("ascii", "replace")
    if before and not before.startswith(value[ROOT]):
        lambdas = os.environ.get("_X_AMZN_TRACE_ID") or value
        if not before.startswith(lambdas.partition(";")[0]):
            return
    _, mark, lineage = before.partition(";Lineage=")
    value += mark + lineage.partition(";")[0]
    if at is not None:
        kept[at] = HEADER, value
    elif before:
        headers.replace_header(HEADER, value)  # setting one again would add a second
    else:
        headers[HEADER] = value


def tell_attempts() -> Callable[[], None]:
    """Wrap `Endpoint._needs_retry`, which botocore asks after each attempt and which waits; returns the undoing."""
    from botocore.endpoint import Endpoint

    original = getattr(Endpoint, "_needs_retry", None)
    if original is None:
        return lambda: None

    @functools.wraps(original)
    def _needs_retry(
        self: Endpoint, attempts: int, model: Any, request: Any, response: Any = None, caught_exception: Any = None
    ) -> Any:
        ended_ns = time_ns()
        again = original(self, attempts, model, request, response, caught_exception)
        if again or attempts > 1:
            write_attempt(attempts, ended_ns, response, caught_exception, again=bool(again))
        return again

    def undo() -> None:
        if Endpoint.__dict__["_needs_retry"] is _needs_retry:
            Endpoint._needs_retry = original  # type: ignore[attr-defined]

    Endpoint._needs_retry = _needs_retry  # type: ignore[attr-defined]
    return undo


@harmless("an attempt of an AWS call")
def write_attempt(attempt: int, ended_ns: int, response: Any, error: BaseException | None, *, again: bool) -> None:
    """An event at the end of an attempt. `retry.delay_ms` is how long botocore waited before it tried again."""
    span = current_span()
    if not span.is_recording():
        return
    told: dict[str, AttributeValue] = {"attempt": attempt}
    if response is not None:
        http, parsed = response
        told["http.status_code"] = http.status_code
        code = (parsed.get("Error") or {}).get("Code")
        if code:
            told["error.type"] = code
    if error is not None:
        told["error.type"] = type(error).__qualname__
    if again:
        told["retry.delay_ms"] = delay_ms = (time_ns() - ended_ns) / 1e6
        begun_ns = getattr(span, "start_time", None) or ended_ns
        ended_ms = (ended_ns - begun_ns) / 1e6
        if attempt == 1:
            span.set_attribute(FIRST_ENDED, ended_ms)
        span.set_attribute(LAST_BEGAN, ended_ms + delay_ms)
    span.add_event("attempt", told, ended_ns)
