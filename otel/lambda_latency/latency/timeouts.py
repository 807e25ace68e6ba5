"""A function timeout: what was running at the deadline, for how long, and where in the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency.charge import charges
from lambda_latency.latency.names import span_name
from lambda_latency.trace import Span, Trace, Waiting, waiting

if TYPE_CHECKING:
    from lambda_latency.latency.part import Part

__all__ = ["Frame", "Thread", "Timeout", "is_running", "timeout_of"]

FRAME = re.compile(r'\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)\s*\Z')
THREAD = re.compile(r"^Thread (.+):\n", re.MULTILINE)
TASK = "/var/task/"
PACKAGES = ("site-packages/", "dist-packages/", "/opt/python/")
KIT = "lambda_latency/"  # its frames are not the user's


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the stack, the outermost first; `own` where the file is the function's, `file` as people know it."""

    file: str
    line: int
    function: str
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """What another thread of the function was doing then."""

    name: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Timeout:
    """A request that ended at its function's deadline.

    `running` names the innermost span that was open, `part` is what it is charged to and `elapsed_ns` how long it had
    been running; where the function's spans were lost with it, `running` is empty and `part` None.
    """

    trace_id: str
    route: str
    wall_ns: int
    limit_ns: int
    running: str
    part: Part | None
    elapsed_ns: int
    frames: tuple[Frame, ...]
    threads: tuple[Thread, ...] = ()

    @property
    def line(self) -> Frame | None:
        """The function's own line that was running: that of a thread which worked for the handler comes first."""
        for frames in (*(thread.frames for thread in self.threads), self.frames):
            own = [frame for frame in frames if frame.own]
            if own:
                return own[-1]
        return None


def timeout_of(trace: Trace) -> Timeout | None:
    """What is known of a request's timeout; None if it had none."""
    if not trace.timed_out:
        return None
    tree = waiting(trace)
    limits = [span.attributes.get("lambda.timeout.limit_ms") for span in trace.spans]
    limit_ms = next((ms for ms in limits if isinstance(ms, int) and ms > 0), 0)
    span = _innermost(trace, tree)
    if span is None:
        return Timeout(trace.trace_id, trace.route, tree.wall_ns, limit_ms * 1_000_000, "", None, 0, ())
    charge = charges(trace, tree)[span.span_id]
    return Timeout(
        trace_id=trace.trace_id,
        route=trace.route,
        wall_ns=tree.wall_ns,
        limit_ns=limit_ms * 1_000_000,
        running=span_name(trace, span, charge),
        part=charge.part,
        elapsed_ns=max(0, _end(tree, span) - span.start_ns),
        frames=_frames(span.attributes.get("code.stacktrace")),
        threads=_threads(span.attributes.get("lambda.timeout.threads")),
    )


def is_running(trace: Trace, span: Span) -> bool:
    """Was it open when the function was killed, with nothing open below it?"""
    return _was_open(span) and not any(_was_open(child) for child in trace.children(span))


def _was_open(span: Span) -> bool:
    if span.origin is not None:
        return False
    return span.end_ns is None or span.provisional or span.attributes.get("lambda.timeout") is True


def _innermost(trace: Trace, tree: Waiting) -> Span | None:
    running = [(depth, span) for span, depth in tree.rows() if is_running(trace, span)]
    # Several calls may run side by side: the one with the stack is the one that the handler waited in.
    stacked = [one for one in running if one[1].attributes.get("code.stacktrace")]
    found = max(stacked or running, key=lambda one: (one[0], one[1].start_ns, one[1].span_id), default=None)
    return found[1] if found is not None else None


def _end(tree: Waiting, span: Span) -> int:
    at: Span | None = span
    while at is not None and at.end_ns is None:
        at = tree.parent(at)
    return min(tree.end_ns, tree.end_ns if at is None or at.end_ns is None else at.end_ns)


def _threads(stacks: object) -> tuple[Thread, ...]:
    """One stack after the other, each under the line `Thread NAME:`."""
    parts = THREAD.split(stacks) if isinstance(stacks, str) else [""]
    return tuple(Thread(name, _frames(stack)) for name, stack in zip(parts[1::2], parts[2::2], strict=True))


def _frames(stack: object) -> tuple[Frame, ...]:
    """Python's own format: a line with the place, and a line with the code where the source is there."""
    if not isinstance(stack, str):
        return ()
    found: list[Frame] = []
    own = ""
    lines = stack.splitlines()
    for number, line in enumerate(lines):
        place = FRAME.match(line)
        if place is None:
            continue
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        text = "" if FRAME.match(lines[number + 1] if after else "") else after
        file = place["file"]
        top = _top(file)
        own = own or top  # the handler's package: further in, other folders of the bundle are its dependencies
        found.append(Frame(_short(file), int(place["line"]), place["function"], text, bool(top) and top == own))
    return tuple(found)


def _top(file: str) -> str:
    """The folder or module of the bundle that a file of the user's lies in; nothing for any other file."""
    if not file.startswith(TASK) or any(folder in file for folder in (*PACKAGES, KIT)):
        return ""
    return file[len(TASK) :].split("/", 1)[0]


def _short(file: str) -> str:
    for folder in (*PACKAGES[:2], TASK):
        _head, found, rest = file.rpartition(folder)
        if found:
            return rest
    return re.sub(r"\A/(?:.*/lib/python3\.\d+|opt(?:/python)?)/", "", file)
