"""What is told shortly before the deadline: which spans are open, and what their threads are doing.

Where the process will be killed they leave as ended now, and as in progress: if the handler makes it after all, its
final spans have the same ids and replace these. Where nobody kills it, they are marked and leave when they end.
Imported by the watch alone, when an invocation takes long.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
import threading
import traceback
from time import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode, get_current_span

from lambda_latency.runtime.copies import ended_at, identity
from lambda_latency.runtime.interpreter import hurried
from lambda_latency.runtime.threads import within

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import FrameType

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from lambda_latency.runtime.deadline import Running

__all__ = ["Stacks", "ended_now", "marks_of", "write"]

OPEN = Status(StatusCode.ERROR, "still open at the function's timeout")
# X-Ray lets a document be replaced by another of its id only where the first one was in progress.
PROVISIONAL = {"lambda.provisional": True, "aws.xray.inprogress": True}
CLOCKS_S = 0.02  # what the time that is left, in whole milliseconds, may say too much
READING_SHARE = 0.25  # of the time between alarm and deadline
Marks = dict[int, dict[str, Any]]


def marks_of(running: Running, spans: Sequence[tuple[Span, int]], text_limit: int) -> Marks:
    """Attributes by span id: the innermost span of each thread has its stack, the invocation's says that it timed out.

    `spans` are in the order of their starts, each with the thread that it began on.
    """
    stacks = Stacks(text_limit, running.alarm + READING_SHARE * (running.deadline - running.alarm))
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


TASK_ROOT = 'File "/var/task/'
POOL = "concurrent.futures.thread"
BOOTSTRAP = "lambda_latency.runtime.bootstrap"


class Stacks:
    """The stacks of all threads at one instant; `limit` is how many characters a text may have.

    `until` (seconds since 1970) files of source are read, outermost first. Later only lines are shown that are known.
    """

    def __init__(self, limit: int, until: float) -> None:
        self._limit = limit
        self._until = until
        # Readers know the function's own files by this folder, wherever a laptop has them.
        self._task_root = f'File "{os.environ.get("LAMBDA_TASK_ROOT", "/var/task")}/'
        self._frames = sys._current_frames()

    def of(self, thread: int) -> str:
        """The stack of a thread; empty where it is gone."""
        frame = self._frames.get(thread)
        return "" if frame is None else self._text(frame)

    def below(self, span: int, known: Collection[int]) -> str:
        """The stacks of the threads that work below a span, but for those that are known, each under its name."""
        names = {one.ident: one.name for one in threading.enumerate()}
        found = [
            f"Thread {names.get(thread, thread)}:\n{self._text(frame)}"
            for thread, frame in self._frames.items()
            if thread not in known and works_below(frame) == span
        ]
        return fitted(found, self._limit)

    def _text(self, frame: FrameType) -> str:
        own: list[FrameType] = []
        at: FrameType | None = frame
        while at is not None and not is_entry(at):
            own.append(at)
            at = at.f_back
        summary = traceback.StackSummary.from_list(list(map(self._entry, reversed(own))))
        return fitted([entry.replace(self._task_root, TASK_ROOT, 1) for entry in summary.format()], self._limit)

    def _entry(self, frame: FrameType) -> traceback.FrameSummary:
        """Not by `StackSummary.extract`, which looks at each file again: each look gives the interpreter away."""
        code, number = frame.f_code, frame.f_lineno or 0
        line = ""
        if code.co_filename in linecache.cache:
            line = linecache.getline(code.co_filename, number)
        elif time() < self._until:
            with hurried():
                line = linecache.getline(code.co_filename, number, frame.f_globals)
        return traceback.FrameSummary(code.co_filename, number, code.co_name, lookup_line=False, line=line)


def is_entry(frame: FrameType) -> bool:
    """Whether the frame is the runtime's own that calls the function's code."""
    return frame.f_code is within.__code__ or frame.f_globals.get("__name__") == BOOTSTRAP


def works_below(frame: FrameType) -> int:
    """The id of the span that a thread was handed work under; 0 where there is none, or it waits in its pool."""
    if frame.f_globals.get("__name__") == POOL and frame.f_code.co_name == "_worker":
        return 0
    at: FrameType | None = frame
    while at is not None:
        if at.f_code is within.__code__:
            return get_current_span(at.f_locals["context"]).get_span_context().span_id
        at = at.f_back
    return 0


def fitted(parts: list[str], limit: int) -> str:
    """The parts together, without some in the middle where they are too long: both ends of a stack say most."""
    kept, size = list(parts), sum(map(len, parts))
    mark = "  ...\n"
    while size + len(mark) * (len(kept) < len(parts)) > limit and kept:
        size -= len(kept.pop(len(kept) // 2))
    if len(kept) < len(parts):
        kept.insert((len(kept) + 1) // 2, mark)
    return "".join(kept)
