"""Requests that failed, and those that timed out: what was running at the deadline, for how long, at which line."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_latency.latency.accounts.owners import NOBODY, Owners
from lambda_latency.latency.judge.charge import Charges
from lambda_latency.latency.judge.span_names import span_name
from lambda_latency.trace import Span, Trace, walk

if TYPE_CHECKING:
    from lambda_latency.latency.accounts.columns import Accounts
    from lambda_latency.latency.accounts.part import Part
    from lambda_latency.trace import Row, Tree

FRAME = re.compile(r'\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)\s*\Z')
THREAD = re.compile(r"^Thread (.+):\n", re.MULTILINE)
TASK = "/var/task/"
PACKAGES = ("site-packages/", "dist-packages/", "/opt/python/")
KIT = "lambda_latency/"  # frames of the kit are not the user's
LAPTOP = "lambda_latency/local/"  # the local emulation of Lambda, which does not exist on AWS


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

    `running` is the name of the innermost open span, `part` what it is charged to, and `elapsed_ns` how long it had
    been open. If the function's spans were lost, `running` is empty and `part` None. `limit_ns` is 0 if no span has the
    limit. Stacks begin with the outermost frame.
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
        """The innermost line of the function's own code; stacks of other threads come before the handler's."""
        for frames in (*(thread.frames for thread in self.threads), self.frames):
            own = [frame for frame in frames if frame.own]
            if own:
                return own[-1]
        return None


def timeout_of(trace: Trace, owners: Owners = NOBODY) -> Timeout | None:
    """The timeout of a trace's request; None if the request did not time out."""
    if not trace.timed_out:
        return None
    tree = trace.tree
    limits = [span.attributes.get("lambda.timeout.limit_ms") for span in trace.spans]
    limit_ms = next((ms for ms in limits if isinstance(ms, int) and ms > 0), 0)
    wall_ns, limit_ns = tree.end_ns - tree.start_ns, limit_ms * 1_000_000
    row = _innermost(trace)
    if row is None:
        return Timeout(trace.trace_id, trace.route, wall_ns, limit_ns, "", None, 0, ())
    charge = Charges(owners).of(tree, walk(tree)[1])[row.span_id]
    attributes = trace.span(row).attributes
    return Timeout(
        trace_id=trace.trace_id,
        route=trace.route,
        wall_ns=wall_ns,
        limit_ns=limit_ns,
        running=span_name(trace, row, charge),
        part=charge.part,
        elapsed_ns=max(0, _end(tree, row) - row.start_ns),
        frames=_frames(attributes.get("code.stacktrace")),
        threads=_threads(attributes.get("lambda.timeout.threads")),
    )


def is_running(trace: Trace, span: Span) -> bool:
    """Whether the span was open when the function was killed, without an open span below it."""
    return _was_open(span) and not any(_was_open(child) for child in trace.children(span))


def _was_open(span: Span) -> bool:
    if span.origin is not None:
        return False
    return span.end_ns is None or span.provisional or span.attributes.get("lambda.timeout") is True


def _innermost(trace: Trace) -> Row | None:
    running = [(depth, row) for row, depth in trace.tree.by_depth() if is_running(trace, trace.span(row))]
    # Several calls may run in parallel: the handler waited for the one with a stack.
    stacked = [one for one in running if trace.span(one[1]).attributes.get("code.stacktrace")]
    found = max(stacked or running, key=lambda one: (one[0], one[1].start_ns, one[1].span_id), default=None)
    return found[1] if found is not None else None


def _end(tree: Tree, row: Row) -> int:
    waits_for = tree.waits_for()
    at: Row | None = row
    while at is not None and not at.end_ns:
        at = waits_for.get(at.span_id)
    return min(tree.end_ns, at.end_ns if at is not None else tree.end_ns)


def _threads(stacks: object) -> tuple[Thread, ...]:
    """Parse stacks in a row, each after a line `Thread NAME:`."""
    parts = THREAD.split(stacks) if isinstance(stacks, str) else [""]
    return tuple(Thread(name, _frames(stack)) for name, stack in zip(parts[1::2], parts[2::2], strict=True))


def _frames(stack: object) -> tuple[Frame, ...]:
    """Parse a stack in Python's format: a line with the position, then the line of code if the source is available."""
    if not isinstance(stack, str):
        return ()
    found: list[Frame] = []
    own = ""
    lines = stack.splitlines()
    for number, line in enumerate(lines):
        place = FRAME.match(line)
        if place is None or LAPTOP in place["file"]:
            continue
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        text = "" if FRAME.match(lines[number + 1] if after else "") else after
        file = place["file"]
        top = _top(file)
        own = own or top  # the outermost own frame is in the handler's package; other folders are dependencies
        found.append(Frame(_short(file), int(place["line"]), place["function"], text, bool(top) and top == own))
    return tuple(found)


def _top(file: str) -> str:
    """The top-level folder or module of the bundle that holds a file of the user; empty for any other file."""
    if not file.startswith(TASK) or any(folder in file for folder in (*PACKAGES, KIT)):
        return ""
    return file[len(TASK) :].split("/", 1)[0]


def _short(file: str) -> str:
    for folder in (*PACKAGES[:2], TASK):
        _head, found, rest = file.rpartition(folder)
        if found:
            return rest
    return re.sub(r"\A/(?:.*/lib/python3\.\d+|opt(?:/python)?)/", "", file)


@dataclass(frozen=True, slots=True)
class Failures:
    """The `count` failed requests that did not time out; `of_most` of them have `route` and `status_code`.

    In `of_part` of them, and in at least half, a call to `part` failed or was throttled; None if there is no such part.
    `trace_id` is an example, with such a call if there is a part.
    """

    count: int
    route: str
    status_code: int | None
    of_most: int
    part: Part | None
    of_part: int
    trace_id: str


def failures(every: Accounts) -> Failures | None:
    """The failures among these requests; None without any."""
    failed = {number: kind for kind, number in every.kinds.items() if kind.error and not kind.timed_out}
    members = [at for at, kind in enumerate(every.kind_of) if kind in failed] if failed else []
    if not members:
        return None
    counts = Counter((failed[every.kind_of[at]].route, failed[every.kind_of[at]].status_code) for at in members)
    (route, status_code), of_most = max(counts.items(), key=lambda one: (one[1], one[0][0], one[0][1] or 0))
    parts = _failed_parts(every, members)
    part = max(parts, key=lambda one: (len(parts[one]), one.label), default=None)
    if part is not None and 2 * len(parts[part]) < len(members):
        part = None
    shown = parts[part] if part is not None else members
    return Failures(
        count=len(members),
        route=route,
        status_code=status_code,
        of_most=of_most,
        part=part,
        of_part=len(shown) if part is not None else 0,
        trace_id=every.trace_id(shown[0]),
    )


def _failed_parts(every: Accounts, members: list[int]) -> dict[Part, list[int]]:
    """The parts with a failed call, and the indices of the requests with one."""
    part_of = [cell.part if calls.errors or calls.throttles else None for cell, calls in every.calls]
    found: dict[Part, list[int]] = {}
    for at in members:
        calls = every.call_of[every.calls_end[at] : every.calls_end[at + 1]]
        for part in {part for call in calls if (part := part_of[call]) is not None}:
            found.setdefault(part, []).append(at)
    return found
