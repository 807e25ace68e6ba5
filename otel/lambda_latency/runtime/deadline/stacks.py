"""Marks the open spans shortly before the deadline, with the stacks of their threads.

On Lambda, which kills the process at the deadline, copies of the spans are sent as ended and in progress. If the
handler finishes in time after all, its final spans have the same ids and replace the copies. Elsewhere the spans
themselves are marked, and sent when they end. The watch imports this module when an invocation takes long.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
import threading
import traceback
from collections.abc import Collection, Mapping, Sequence
from time import time
from types import FrameType
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.copies import ended_at, identity
from lambda_latency.runtime.deadline.interpreter import hurried
from lambda_latency.runtime.deadline.running import Running
from lambda_latency.runtime.threads import within, works_below

OPEN = Status(StatusCode.ERROR, "still open at the function's timeout")
# X-Ray replaces a document by a later one with the same id only if the first one is in progress.
PROVISIONAL = {"lambda.provisional": True, "aws.xray.inprogress": True}
# The largest error of the remaining time that Lambda reports, in whole milliseconds
CLOCKS_S = 0.02
# Share of the time between alarm and deadline in which source files are read
READING_SHARE = 0.25
Marks = dict[int, dict[str, Any]]


def marks_of(running: Running, spans: Sequence[tuple[Span, int]], text_limit: int) -> Marks:
    """Return attributes by span id: stacks for each thread's innermost span, the timeout for the invocation's span.

    `spans` are pairs of a span and the thread that started it, in the order of their starts.
    """
    stacks = Stacks(text_limit, running.alarm + READING_SHARE * (running.deadline - running.alarm))
    marks: Marks = {identity(span): {} for span, _ in spans}
    innermost = {thread: identity(span) for span, thread in spans}  # the last one to start
    for thread, span in innermost.items():
        marks[span]["code.stacktrace"] = stacks.stack_of(thread)
    for span, mark in marks.items():
        mark["lambda.timeout.threads"] = stacks.stacks_below(span, innermost)
    # Lambda does not tell the timeout, but it is a whole number of seconds.
    limit_ms = math.ceil(running.deadline - running.start - CLOCKS_S) * 1000
    marks[running.span_id] |= {"lambda.timeout": True, "lambda.timeout.limit_ms": limit_ms}
    marks[running.span_id] |= running.samples
    return {span: {key: value for key, value in mark.items() if value != ""} for span, mark in marks.items()}


def ended_now(
    spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]], now_ns: int
) -> list[ReadableSpan]:
    """Copy the open spans, which end at `now_ns` (nanoseconds since 1970)."""
    return [ended_at(span, now_ns, {**marks[identity(span)], **PROVISIONAL}, OPEN) for span, _ in spans]


def write(spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]]) -> None:
    """Write the marks onto the spans themselves, which stay open."""
    for span, _ in spans:
        span.set_attributes(marks[identity(span)])
        span.set_status(OPEN)


TASK_ROOT = 'File "/var/task/'
BOOTSTRAP = "lambda_latency.runtime.bootstrap"


class Stacks:
    """The stacks of all threads at one instant, as texts of at most `limit` characters.

    Source files are read up to the instant `until` (seconds since 1970). Later frames show a source line only if it is
    in `linecache`.
    """

    def __init__(self, limit: int, until: float) -> None:
        self._limit, self._until = limit, until
        # The report recognizes the function's own files by this folder, so a laptop's folder is replaced by it.
        self._task_root = f'File "{os.environ.get("LAMBDA_TASK_ROOT", "/var/task")}/'
        self._frames = sys._current_frames()

    def stack_of(self, thread: int) -> str:
        """Return the stack of a thread; empty if the thread has ended."""
        frame = self._frames.get(thread)
        return "" if frame is None else self._text(frame)

    def stacks_below(self, span: int, marked: Collection[int]) -> str:
        """Return the stacks of threads that work under a span, with their names; `marked` threads are left out."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        stacks = [
            f"Thread {names.get(thread, thread)}:\n{self._text(frame)}"
            for thread, frame in self._frames.items()
            if thread not in marked and works_below(frame).span_id == span
        ]
        return fitted(stacks, self._limit)

    def _text(self, frame: FrameType) -> str:
        frames: list[FrameType] = []
        current: FrameType | None = frame
        while current is not None and not is_entry(current):
            frames.append(current)
            current = current.f_back
        summary = traceback.StackSummary.from_list(list(map(self._entry, reversed(frames))))
        return fitted([entry.replace(self._task_root, TASK_ROOT, 1) for entry in summary.format()], self._limit)

    def _entry(self, frame: FrameType) -> traceback.FrameSummary:
        """Summarize a frame. `StackSummary.extract` calls `stat` for each file, which releases the interpreter."""
        code, number = frame.f_code, frame.f_lineno or 0
        line = ""
        if code.co_filename in linecache.cache:
            line = linecache.getline(code.co_filename, number)
        elif time() < self._until:
            with hurried():
                line = linecache.getline(code.co_filename, number, frame.f_globals)
        return traceback.FrameSummary(code.co_filename, number, code.co_name, lookup_line=False, line=line)


def is_entry(frame: FrameType) -> bool:
    """Whether the frame is the one in which the runtime calls the function's code."""
    return frame.f_code is within.__code__ or frame.f_globals.get("__name__") == BOOTSTRAP


def fitted(parts: list[str], limit: int) -> str:
    """Join the parts. If they exceed the limit, parts from the middle are left out: both ends say most."""
    shown, size = list(parts), sum(map(len, parts))
    mark = "  ...\n"
    while size + len(mark) * (len(shown) < len(parts)) > limit and shown:
        size -= len(shown.pop(len(shown) // 2))
    if len(shown) < len(parts):
        shown.insert((len(shown) + 1) // 2, mark)
    return "".join(shown)
