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
from time import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from lambda_latency.runtime.copies import ended_at, identity
from lambda_latency.runtime.deadline.interpreter import hurried
from lambda_latency.runtime.threads import within, works_below

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import FrameType

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from lambda_latency.runtime.deadline.running import Running

OPEN = Status(StatusCode.ERROR, "still open at the function's timeout")
# X-Ray replaces a document by a later one with the same id only if the first one is in progress.
PROVISIONAL = {"lambda.provisional": True, "aws.xray.inprogress": True}
CLOCKS_S = 0.02  # the largest error of the remaining time that Lambda tells, in whole milliseconds
READING_SHARE = 0.25  # share of the time between alarm and deadline in which source files are read
Marks = dict[int, dict[str, Any]]


def marks_of(running: Running, spans: Sequence[tuple[Span, int]], text_limit: int) -> Marks:
    """Attributes by span id: stacks for the innermost span of each thread, the timeout for the invocation's span.

    `spans` are pairs of a span and the thread that started it, in the order of their starts.
    """
    stacks = Stacks(text_limit, running.alarm + READING_SHARE * (running.deadline - running.alarm))
    marks: Marks = {identity(span): {} for span, _ in spans}
    innermost = {thread: identity(span) for span, thread in spans}  # the last one to start
    for thread, span in innermost.items():
        marks[span]["code.stacktrace"] = stacks.of(thread)
    for span, mark in marks.items():
        mark["lambda.timeout.threads"] = stacks.below(span, innermost)
    marks[running.span_id] |= {"lambda.timeout": True, "lambda.timeout.limit_ms": limit_ms(running)}
    marks[running.span_id] |= running.samples
    return {span: {key: value for key, value in mark.items() if value != ""} for span, mark in marks.items()}


def ended_now(
    spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]], now_ns: int
) -> list[ReadableSpan]:
    """Copies of the open spans that end at `now_ns` (nanoseconds since 1970)."""
    return [ended_at(span, now_ns, {**marks[identity(span)], **PROVISIONAL}, OPEN) for span, _ in spans]


def write(spans: Sequence[tuple[Span, int]], marks: Mapping[int, dict[str, Any]]) -> None:
    """Write the marks onto the spans themselves, which stay open."""
    for span, _ in spans:
        span.set_attributes(marks[identity(span)])
        span.set_status(OPEN)


def limit_ms(running: Running) -> int:
    """The function's timeout in milliseconds: Lambda does not tell it, but it is a whole number of seconds."""
    return math.ceil(running.deadline - running.begun - CLOCKS_S) * 1000


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

    def of(self, thread: int) -> str:
        """The stack of a thread; empty if the thread has ended."""
        frame = self._frames.get(thread)
        return "" if frame is None else self._text(frame)

    def below(self, span: int, known: Collection[int]) -> str:
        """The stacks of threads that work under a span, each with the thread's name. `known` threads are left out."""
        names = {one.ident: one.name for one in threading.enumerate()}
        found = [
            f"Thread {names.get(thread, thread)}:\n{self._text(frame)}"
            for thread, frame in self._frames.items()
            if thread not in known and works_below(frame).span_id == span
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
        """One frame. `StackSummary.extract` would call `stat` for each file, and each call releases the interpreter."""
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
    """The parts joined. If they exceed the limit, parts from the middle are left out: both ends say most."""
    kept, size = list(parts), sum(map(len, parts))
    mark = "  ...\n"
    while size + len(mark) * (len(kept) < len(parts)) > limit and kept:
        size -= len(kept.pop(len(kept) // 2))
    if len(kept) < len(parts):
        kept.insert((len(kept) + 1) // 2, mark)
    return "".join(kept)
