"""What is told shortly before the deadline: which spans are open, and what their threads are doing.

Where the process will be killed they leave as ended now, and as in progress: if the handler makes it after all, its
final spans have the same ids and replace these. Where nobody kills it, they are marked and leave when they end.
Imported by the watch alone, when an invocation takes long.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.copies import ended_at, identity
from lambda_latency.runtime.stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from lambda_latency.runtime.running import Running

__all__ = ["ended_now", "marks_of", "write"]

OPEN = Status(StatusCode.ERROR, "still open at the function's timeout")
# X-Ray lets a document be replaced by another of its id only where the first one was in progress.
PROVISIONAL = {"lambda.provisional": True, "aws.xray.inprogress": True}
CLOCKS_S = 0.02  # what the time that is left, in whole milliseconds, may say too much
Marks = dict[int, dict[str, Any]]


def marks_of(running: Running, spans: Sequence[tuple[Span, int]], text_limit: int) -> Marks:
    """Attributes by span id: the innermost span of each thread has its stack, the invocation's says that it timed out.

    `spans` are in the order of their starts, each with the thread that it began on.
    """
    stacks = Stacks(text_limit)
    marks: Marks = {identity(span): {} for span, _ in spans}
    innermost = {thread: identity(span) for span, thread in spans}  # of each thread the one that began last
    for thread, span in innermost.items():
        marks[span]["code.stacktrace"] = stacks.of(thread)
    for span, mark in marks.items():
        mark["lambda.timeout.threads"] = stacks.below(span, innermost)
    marks[running.span_id] |= {"lambda.timeout": True, "lambda.timeout.limit_ms": limit_ms(running)}
    return {span: {key: value for key, value in mark.items() if value != ""} for span, mark in marks.items()}


def ended_now(
    spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]], now_ns: int
) -> list[ReadableSpan]:
    """Copies of the open spans as ended at `now_ns`."""
    return [ended_at(span, now_ns, {**marks[identity(span)], **PROVISIONAL}, OPEN) for span, _ in spans]


def write(spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]]) -> None:
    """The marks on the spans themselves, which go on."""
    for span, _ in spans:
        span.set_attributes(marks[identity(span)])
        span.set_status(OPEN)


def limit_ms(running: Running) -> int:
    """The function's timeout, which Lambda sets in whole seconds and tells nobody."""
    return math.ceil(running.deadline - running.begun - CLOCKS_S) * 1000
