"""Requests that failed, and those that timed out: what was running at the deadline, for how long, at which line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lambda_latency.latency.analysis.attribution import Attributions, span_name
from lambda_latency.latency.breakdowns.columns import Breakdowns
from lambda_latency.latency.breakdowns.component import Component
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.trace import CompactSpan, Span, Trace, Tree, walk

FRAME = re.compile(r'\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)\s*\Z')
THREAD = re.compile(r"^Thread (.+):\n", re.MULTILINE)
TASK = "/var/task/"
PACKAGES = ("site-packages/", "dist-packages/", "/opt/python/")
KIT = "lambda_latency/"  # frames of the kit are not the user's
# The local emulation of Lambda, which does not exist on AWS
LAPTOP = "lambda_latency/local/"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a stack. `own`: the file is the function's own code; `file` is the short form of its path."""

    file: str
    line: int
    function: str
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """The stack of another thread at the deadline."""

    name: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Timeout:
    """A request that ended at its function's deadline.

    `running` is the name of the innermost open span, `component` what it is attributed to, and `elapsed_ns` how long it
    had been open. If the function's spans were lost, `running` is empty and `component` None. `limit_ns` is 0 if no
    span has the limit. Stacks begin with the outermost frame.
    """

    trace_id: str
    route: str
    wall_ns: int
    limit_ns: int
    running: str
    component: Component | None
    elapsed_ns: int
    frames: tuple[Frame, ...]
    threads: tuple[Thread, ...] = ()

    @property
    def line(self) -> Frame | None:
        """The innermost line of the function's own code; stacks of other threads come before the handler's."""
        for frames in (*(thread.frames for thread in self.threads), self.frames):
            own_frames = [frame for frame in frames if frame.own]
            if own_frames:
                return own_frames[-1]
        return None


def timeout_of(trace: Trace, owners: Owners = NOBODY) -> Timeout | None:
    """Return the timeout of a trace's request; None if the request did not time out."""
    if not trace.timed_out:
        return None
    tree = trace.tree
    limits = [span.attributes.get("lambda.timeout.limit_ms") for span in trace.spans]
    limit_ms = next((ms for ms in limits if isinstance(ms, int) and ms > 0), 0)
    wall_ns, limit_ns = tree.end_ns - tree.start_ns, limit_ms * 1_000_000
    compact = _innermost(trace)
    if compact is None:
        return Timeout(trace.trace_id, trace.route, wall_ns, limit_ns, "", None, 0, ())
    attribution = Attributions(owners).by_span_id(tree, walk(tree)[1])[compact.span_id]
    attributes = trace.span(compact).attributes
    return Timeout(
        trace_id=trace.trace_id,
        route=trace.route,
        wall_ns=wall_ns,
        limit_ns=limit_ns,
        running=span_name(trace, compact, attribution),
        component=attribution.component,
        elapsed_ns=max(0, _end(tree, compact) - compact.start_ns),
        frames=_frames(attributes.get("code.stacktrace")),
        threads=_threads(attributes.get("lambda.timeout.threads")),
    )


def is_running(trace: Trace, span: Span) -> bool:
    """Return whether the span was open when the function was killed, without an open span below it."""
    return _was_open(span) and not any(_was_open(child) for child in trace.children(span))


def _was_open(span: Span) -> bool:
    if span.origin is not None:
        return False
    return span.end_ns is None or span.provisional or span.attributes.get("lambda.timeout") is True


def _innermost(trace: Trace) -> CompactSpan | None:
    depths = {span: depth for span, depth in trace.tree.by_depth() if is_running(trace, trace.span(span))}
    # Several calls may run in parallel: the handler waited for the one with a stack.
    with_stack = [span for span in depths if trace.span(span).attributes.get("code.stacktrace")]
    return max(with_stack or depths, key=lambda span: (depths[span], span.start_ns, span.span_id), default=None)


def _end(tree: Tree, span: CompactSpan) -> int:
    waits_for = tree.waits_for()
    waiting: CompactSpan | None = span
    while waiting is not None and not waiting.end_ns:
        waiting = waits_for.get(waiting.span_id)
    return min(tree.end_ns, waiting.end_ns if waiting is not None else tree.end_ns)


def _threads(stacks: object) -> tuple[Thread, ...]:
    """Parse consecutive stacks, each after a line `Thread NAME:`."""
    components = THREAD.split(stacks) if isinstance(stacks, str) else [""]
    return tuple(Thread(name, _frames(stack)) for name, stack in zip(components[1::2], components[2::2], strict=True))


def _frames(stack: object) -> tuple[Frame, ...]:
    """Parse a stack in Python's format: a line with the position, then the line of code if the source is available."""
    if not isinstance(stack, str):
        return ()
    frames: list[Frame] = []
    own_folder = ""
    lines = stack.splitlines()
    for number, line in enumerate(lines):
        position = FRAME.match(line)
        if position is None or LAPTOP in position["file"]:
            continue
        next_line = lines[number + 1].strip() if number + 1 < len(lines) else ""
        text = "" if FRAME.match(lines[number + 1] if next_line else "") else next_line
        file = position["file"]
        folder = _root(file)
        # The outermost own frame is in the handler's package; other folders are dependencies
        own_folder = own_folder or folder
        is_own = bool(folder) and folder == own_folder
        frames.append(Frame(_short(file), int(position["line"]), position["function"], text, is_own))
    return tuple(frames)


def _root(file: str) -> str:
    """Return the top-level folder or module of the bundle that holds a file of the user; empty for any other file."""
    if not file.startswith(TASK) or any(folder in file for folder in (*PACKAGES, KIT)):
        return ""
    return file[len(TASK) :].split("/", 1)[0]


def _short(file: str) -> str:
    for folder in (*PACKAGES[:2], TASK):
        _head, separator, short = file.rpartition(folder)
        if separator:
            return short
    return re.sub(r"\A/(?:.*/lib/python3\.\d+|opt(?:/python)?)/", "", file)


@dataclass(frozen=True, slots=True)
class Failures:
    """The `count` failed requests that did not time out; `of_most` of them have `route` and `status_code`.

    In `of_component` of them, and in at least half, a call to `component` failed or was throttled; None if there is no
    such component. `trace_id` is an example, with such a call if there is a component.
    """

    count: int
    route: str
    status_code: int | None
    of_most: int
    component: Component | None
    of_component: int
    trace_id: str


def failures(breakdowns: Breakdowns) -> Failures | None:
    """Return the failures among these requests; None without any."""
    members = breakdowns.of_kind(lambda kind: kind.error and not kind.timed_out)
    if not members:
        return None
    kinds = list(breakdowns.kinds)
    of_members = (kinds[breakdowns.kind_of[index]] for index in members)
    counts = Counter((kind.route, kind.status_code) for kind in of_members)
    route, status_code = max(counts, key=lambda outcome: (counts[outcome], outcome[0], outcome[1] or 0))
    components = _failed_components(breakdowns, members)
    component = max(components, key=lambda component: (len(components[component]), component.label), default=None)
    shown = components[component] if component is not None else members
    return Failures(
        count=len(members),
        route=route,
        status_code=status_code,
        of_most=counts[route, status_code],
        component=component,
        of_component=len(shown) if component is not None else 0,
        trace_id=breakdowns.trace_id(shown[0]),
    )


def _failed_components(breakdowns: Breakdowns, members: Sequence[int]) -> dict[Component, list[int]]:
    """Return the parts that have a failed call in at least half of the requests, with the indices of these requests."""
    component_of = [edge.component if calls.errors or calls.throttles else None for edge, calls in breakdowns.calls]
    indices: dict[Component, list[int]] = {}
    for index in members:
        calls = breakdowns.call_of[breakdowns.calls_end[index] : breakdowns.calls_end[index + 1]]
        for component in {component for call in calls if (component := component_of[call]) is not None}:
            indices.setdefault(component, []).append(index)
    return {component: failed for component, failed in indices.items() if 2 * len(failed) >= len(members)}
