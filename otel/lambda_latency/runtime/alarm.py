"""What is told shortly before the deadline: the spans that are open, as ended now, with what their threads are doing.

They have the ids that they will have: if the handler makes it after all, its final spans take the place of these.
Imported by the watch alone, when an invocation takes long.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import Span

    from lambda_latency.runtime.deadline import Running

__all__ = ["at_deadline", "provisional"]

OPEN = Status(StatusCode.ERROR, "still open at the function's timeout")


def at_deadline(
    running: Running, spans: Sequence[tuple[Span, int]], now_ns: int, text_limit: int
) -> list[ReadableSpan]:
    """The open spans as ended at `now_ns`, the earlier begun first; the innermost one of each thread has its stack."""
    stacks = Stacks(text_limit)
    marks: dict[int, dict[str, Any]] = {span_id(span): {} for span, _ in spans}
    innermost = {thread: span_id(span) for span, thread in spans}  # of each thread the one that began last
    for thread, span in innermost.items():
        marks[span]["code.stacktrace"] = stacks.of(thread)
    for span, mark in marks.items():
        mark["lambda.timeout.threads"] = stacks.below(span, innermost)
    marks[running.span_id] |= {"lambda.timeout": True, "lambda.timeout.limit_ms": limit_ms(running)}
    return [provisional(span, now_ns, marks[span_id(span)], OPEN) for span, _ in spans]


def provisional(span: Span, now_ns: int, more: Mapping[str, Any], status: Status | None = None) -> ReadableSpan:
    """A copy of an open span as ended now; what has ended meanwhile keeps its own end and status."""
    ended = span.end_time is not None
    added = {key: value for key, value in more.items() if value != ""}
    return ReadableSpan(
        span.name, span.get_span_context(), span.parent, span.resource,
        {**(span.attributes or {}), **added, "lambda.provisional": True},
        tuple(span.events), tuple(span.links), span.kind, None,
        span.status if ended or status is None else status,
        span.start_time, span.end_time if ended else max(now_ns, span.start_time or 0), span.instrumentation_scope,
    )  # fmt: skip


def limit_ms(running: Running) -> int:
    """The function's timeout, which Lambda sets in whole seconds and tells nobody."""
    return math.ceil(running.deadline - running.begun) * 1000


def span_id(span: Span) -> int:
    """Its own."""
    return span.get_span_context().span_id
