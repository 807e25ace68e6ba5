"""What the threads of an invocation are doing: their stacks in Python's own format, without our frames at their top."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from lambda_latency.runtime.threads import within

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import FrameType

__all__ = ["Stacks"]

TASK_ROOT = 'File "/var/task/'
POOL = "concurrent.futures.thread"
BOOTSTRAP = "lambda_latency.runtime.bootstrap"


class Stacks:
    """The stacks of all threads at one instant; `limit` is how many characters a text may have."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
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
        summary = traceback.StackSummary.extract((one, one.f_lineno) for one in reversed(own))
        return fitted([entry.replace(self._task_root, TASK_ROOT, 1) for entry in summary.format()], self._limit)


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
