"""The spans of one request as bars, each with its samples and the time that the request waited for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lambda_latency.latency.analysis.analyzer import PathSegment, path_segments
from lambda_latency.latency.analysis.attribution import Attribution, Attributions, ById, ancestors, span_name
from lambda_latency.latency.analysis.timeouts import is_running
from lambda_latency.latency.breakdowns.breakdown import http_status, is_failed, is_throttled
from lambda_latency.latency.breakdowns.component import Component
from lambda_latency.latency.breakdowns.owners import NOBODY, Owners
from lambda_latency.trace import FUNCTION, SERVES, SERVICE, CompactSpan, Span, Trace, Tree, walk

SAMPLES = "lambda.profile."
PLACE = re.compile(r"(?:(?P<file>.+?):(?P<line>\d+) (?P<function>\S.*?))?(?:\s*> (?P<below>.+))?\Z")


@dataclass(frozen=True, slots=True, order=True)
class CodePlace:
    """A line of a function's own code. `below` is the library's function that it called; all may be empty."""

    file: str
    line: int
    function: str
    below: str

    @property
    def label(self) -> str:
        """`functions/orders.py:14 price()`."""
        if not self.file:
            return self.below or "other places"
        return f"{self.file}:{self.line} {self.function}" + ("()" if self.function[-1:].isidentifier() else "")

    @property
    def frames(self) -> tuple[str, ...]:
        """The line, and the library's function that it called."""
        return tuple(frame for frame in (self.label, self.below) if frame)[: 2 if self.file else 1]


class SampledRun(NamedTuple):
    """Consecutive samples of one place: start and end in nanoseconds since 1970.

    `cpu` is the share of CPU, None where it is unknown; `lateness` the share of the time by which samples were late.
    `waits_for` and `source` are what the place was seen to wait for, and the text of its line, if they were recorded.
    """

    start_ns: int
    end_ns: int
    place: CodePlace
    cpu: float | None
    lateness: float
    waits_for: str
    source: str


def runs_of(span: Span) -> list[SampledRun]:
    """Return the samples of a span as runs in the order of time; empty if it has none, or none that can be read."""
    attributes = span.attributes
    text, after_ms = attributes.get(f"{SAMPLES}runs"), attributes.get(f"{SAMPLES}after_ms")
    if not isinstance(text, str) or not isinstance(after_ms, int):
        return []
    texts, *details = (_texts(attributes.get(f"{SAMPLES}{name}")) for name in ("places", "waits", "lines"))
    places = [_place(text) for text in texts]
    runs: list[SampledRun] = []
    start_ns = span.start_ns + after_ms * 1_000_000
    for run_text in text.split(";"):
        numbers = _numbers(run_text)
        if numbers is None or numbers[0] >= len(places):
            break  # the text was cut
        number, wall_ms, cpu, late = numbers
        end_ns = start_ns + wall_ms * 1_000_000
        waits_for, source = (detail[number] if number < len(detail) else "" for detail in details)
        runs.append(SampledRun(start_ns, end_ns, places[number], cpu, late, waits_for, source))
        start_ns = end_ns
    return runs


def _numbers(run: str) -> tuple[int, int, float | None, float] | None:
    """Parse the number of a run's place, its milliseconds, and its shares of CPU and of lateness; None if it is cut."""
    numbers = run.split(",")
    if not 2 <= len(numbers) <= 4 or not all(number.isdecimal() for number in numbers[:2]):
        return None
    cpu_ms, late_ms = (int(number) if number.isdecimal() else None for number in (*numbers[2:], "", "")[:2])
    number, wall_ms = int(numbers[0]), int(numbers[1])
    cpu = cpu_ms / max(wall_ms, 1) if cpu_ms is not None else None
    return number, wall_ms, cpu, (late_ms or 0) / max(wall_ms, 1)


def _place(text: str) -> CodePlace:
    components = PLACE.match(text)
    if components is None or (not components["file"] and not components["below"]):
        return CodePlace("", 0, "", text)
    return CodePlace(
        components["file"] or "", int(components["line"] or 0), components["function"] or "", components["below"] or ""
    )


def _texts(texts: object) -> list[str]:
    return [text if isinstance(text, str) else "" for text in texts] if isinstance(texts, (list, tuple)) else []


@dataclass(slots=True, eq=False)
class Bar:
    """A span, the bar `parent` it, and the segments of the critical path that it owns, in the order of time.

    `end_ns` of an open span is that of the bar above. `component` is what the span's self time is attributed to. `mark`
    is its failure: `running` (open at the deadline), `throttled`, a status such as `503`, `error`, or empty. `inside`
    are segments without a bar of their own: AWS nests them, but they describe the same thing. `waited_below_ns` is the
    time that the request waited for spans below. `runs` are the samples of a handler's own code, `service` is the name
    of the service whose code ran.
    """

    compact: CompactSpan
    span: Span
    name: str
    component: Component
    mark: str
    depth: int
    end_ns: int
    parent: Bar | None
    owned: list[tuple[int, int]] = field(default_factory=list)
    inside: list[Span] = field(default_factory=list)
    waited_below_ns: int = 0
    runs: list[SampledRun] = field(default_factory=list)
    service: str = ""

    @property
    def start_ns(self) -> int:
        """The start of the span."""
        return self.compact.start_ns

    @property
    def waited_ns(self) -> int:
        """The time that the request waited for the span itself."""
        return sum(end - start for start, end in self.owned)

    @property
    def on_path(self) -> bool:
        """Whether the request waited for the span, or for a span below it."""
        return bool(self.owned or self.waited_below_ns)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars of a request from `start_ns` to `end_ns`, in the order of the tree, and its critical path by time.

    `bar_of` has, by span id, the bar that shows a span. `orphans` and `other_roots` belong to the trace, but not to the
    tree of its request: spans whose parent was not recorded, and the roots of other trees. No request waited for the
    detached spans in `detached`.
    """

    start_ns: int
    end_ns: int
    bars: list[Bar]
    bar_of: dict[str, Bar]
    path: list[PathSegment]
    orphans: tuple[Span, ...]
    other_roots: tuple[Span, ...]
    detached: tuple[Span, ...] = ()

    @property
    def wall_ns(self) -> int:
        """The wall clock of the request."""
        return self.end_ns - self.start_ns


def waterfall_of(trace: Trace, owners: Owners = NOBODY) -> Waterfall:
    """Return the waterfall of a trace's request."""
    tree = trace.tree
    path, parents = walk(tree)
    attributions = Attributions(owners).by_span_id(tree, parents)
    path.sort(key=lambda segment: segment[1])
    bars, bar_of = _bars(trace, attributions)
    for compact, start_ns, end_ns in path:
        bar_of[compact.span_id].owned.append((start_ns, end_ns))
    for bar in reversed(bars):
        if bar.parent is not None:
            bar.parent.waited_below_ns += bar.waited_ns + bar.waited_below_ns
    segments = list(path_segments(tree, path, attributions))
    *_, root = tree.request_root, *ancestors(tree, tree.request_root)
    roots = [span for span in trace.local_roots if span is not trace.span(root) and span not in trace.orphans]
    outside = (trace.orphans, roots)
    orphans, other_roots = (tuple(span for span in spans if span.span_id not in bar_of) for spans in outside)
    detached = tuple(map(trace.span, tree.detached))
    return Waterfall(tree.start_ns, tree.end_ns, bars, bar_of, segments, orphans, other_roots, detached)


def _bars(trace: Trace, attributions: ById) -> tuple[list[Bar], dict[str, Bar]]:
    """Return the bars of a request in the order of the tree, and by span id the bar that shows a span."""
    tree = trace.tree
    waits_for = tree.waits_for()
    bars: list[Bar] = []
    bar_of: dict[str, Bar] = {}
    for span, _ in tree.by_depth():
        waiting = waits_for.get(span.span_id)
        above = bar_of[waiting.span_id] if waiting is not None else None
        if waiting is not None and above is not None and _is_inside(tree, span, waiting):
            above.inside.append(trace.span(span))
            bar_of[span.span_id] = above
        else:
            bar = bar_of[span.span_id] = _bar(trace, span, attributions[span.span_id], above)
            bars.append(bar)
    return bars, bar_of


def _bar(trace: Trace, compact: CompactSpan, attribution: Attribution, above: Bar | None) -> Bar:
    depth, end_ns = (above.depth + 1, above.end_ns) if above is not None else (0, trace.tree.end_ns)
    span = trace.span(compact)
    return Bar(
        compact=compact,
        span=span,
        name=span_name(trace, compact, attribution),
        component=attribution.component,
        mark=_mark(trace, compact, span),
        depth=depth,
        end_ns=max(compact.end_ns or end_ns, compact.start_ns),
        parent=above,
        runs=runs_of(span),
        service=attribution.code.name if attribution.code is not None else "",
    )


def _mark(trace: Trace, compact: CompactSpan, span: Span) -> str:
    if is_running(trace, span):
        return "running"
    if span.origin is not None:
        return ""
    if is_throttled(compact.signature):
        return "throttled"
    if is_failed(compact.signature):
        code = http_status(compact.signature)
        return str(code) if code >= 400 else "error"
    return ""


def _is_inside(tree: Tree, span: CompactSpan, waiting: CompactSpan) -> bool:
    """Return whether the segment has no bar: a function inside its service, or the Invocation inside its function."""
    if span.signature.phase == "Invocation" and tree.is_phase(span):
        return True
    if span.signature.origin != FUNCTION or waiting.signature.origin != SERVICE:
        return False
    return sum(child.signature.origin == FUNCTION for child in tree.children[waiting.span_id]) == 1


def sampled(drawn: Waterfall, segment: PathSegment) -> Iterator[tuple[int, SampledRun]]:
    """Yield the samples in a segment of a critical path, if it is own code: nanoseconds and run of each."""
    if segment.component.category == "own code":
        yield from sampled_between(drawn.bar_of[segment.span.span_id], segment.start_ns, segment.end_ns)


def sampled_between(bar: Bar, start_ns: int, end_ns: int) -> Iterator[tuple[int, SampledRun]]:
    """Yield the samples of a span's service between two instants: nanoseconds and run of each."""
    handler: Bar | None = bar
    while handler is not None and not handler.runs:
        # The handler's span has the samples of its service, and of no other one.
        handler = None if _enters_service(handler) else handler.parent
    for run in handler.runs if handler is not None else ():
        ns = min(end_ns, run.end_ns) - max(start_ns, run.start_ns)
        if ns > 0:
            yield ns, run


def _enters_service(bar: Bar) -> bool:
    """Return whether a call ends at this span: the span above it is of another service, or the call itself."""
    if bar.parent is None or bar.parent.service != bar.service:
        return True
    signature = bar.compact.signature
    return bool(signature.roles & SERVES) and bar.parent.compact.signature.is_call


Stack = tuple[str, ...]


def sections_of(trace: Trace, owners: Owners = NOBODY) -> Iterator[tuple[Stack, Component, int]]:
    """Yield the sections of a request's critical path: stack (the root span first), component and nanoseconds of each.

    Time of a span that is attributed to another component (retries, connecting) has a frame of its own, named after the
    component; own code that was sampled has frames for its line and the library's function that it called.
    """
    drawn = waterfall_of(trace, owners)
    stacks: dict[str, Stack] = {}
    for bar in drawn.bars:  # parents come first
        above = stacks[bar.parent.compact.span_id] if bar.parent is not None else ()
        stacks[bar.compact.span_id] = (*above, bar.name)
    for segment in drawn.path:
        bar, component = drawn.bar_of[segment.span.span_id], segment.component
        stack = stacks[bar.compact.span_id]
        if component != bar.component and component.label != bar.name:
            stack = (*stack, component.label)
        unsampled_ns = segment.end_ns - segment.start_ns
        for ns, run in sampled(drawn, segment):
            unsampled_ns -= ns
            yield (*stack, *run.place.frames), component, ns
        if unsampled_ns > 0:
            yield stack, component, unsampled_ns


def stacks_of(traces: Iterable[Trace], owners: Owners = NOBODY) -> Counter[Stack]:
    """Nanoseconds by stack; their sum is the sum of the wall clocks of all requests."""
    stacks: Counter[Stack] = Counter()
    for trace in traces:
        for stack, _, ns in sections_of(trace, owners):
            stacks[stack] += ns
    return stacks
